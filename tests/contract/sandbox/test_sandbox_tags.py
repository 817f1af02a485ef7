"""Tags of the stand-in CRM+: definitions that staff make, joins that the API makes, alone or many at once."""

import httpx
import pytest


def tagged(organization, tag_id, **query):
    return organization.crm.get(f"/api/Contact/ByTag/{tag_id}", params=query)


def test_an_organization_begins_with_the_usual_tags_and_those_of_its_setting(desk):
    usual = [row["tagName"] for row in desk().crm.get("/api/Tag").json()["list"]]
    more = desk(tags=["Team A", "Team B"]).crm.get("/api/Tag").json()["list"]

    assert usual == ["Volunteer", "Donor", "Newsletter"]
    assert [(row["id"], row["tagName"]) for row in more][3:] == [(34, "Team A"), (35, "Team B")]


def test_tags_come_in_pages_of_ten_unless_more_are_taken(desk):
    organization = desk(tags=[f"Team {number}" for number in range(9)])

    first = organization.crm.get("/api/Tag").json()
    rest = organization.crm.get("/api/Tag", params={"skip": 10, "take": 1000}).json()

    assert (len(first["list"]), first["total"], len(rest["list"])) == (10, 12, 2)
    assert organization.crm.get("/api/Tag", params={"take": 1001}).status_code == 400


def test_staff_make_a_tag_and_take_it_away_with_all_that_it_ties(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")
    tag = organization.admin.create_tag(organization.name, "Team A")
    organization.crm.post("/api/ContactTag", json={"tagId": tag["id"], "contactId": contact["id"]}).raise_for_status()

    before = organization.crm.get(f"/api/Contact/{contact['id']}").json()["tags"]
    organization.admin.delete_tag(organization.name, tag["id"])
    after = organization.crm.get(f"/api/Contact/{contact['id']}").json()["tags"]
    refused = organization.crm.post("/api/ContactTag", json={"tagId": tag["id"], "contactId": contact["id"]})

    assert (before, after) == (["Team A"], [])
    assert refused.status_code == 400
    assert organization.admin.export(organization.name)["destination"]["contact_tags"] == []


def test_a_name_is_one_tag_however_often_it_is_made(desk):
    organization = desk(tags=["volunteer"])

    assert organization.admin.create_tag(organization.name, "DONOR") == {"id": 32, "tagName": "Donor"}
    assert organization.crm.get("/api/Tag").json()["total"] == 3


@pytest.mark.parametrize("tags", ["Team A", [""], [7]])
def test_tags_that_are_no_names_are_refused(admin, tags):
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        admin.create_organization(f"tagless{tags}", tags=tags)


def test_who_has_a_tag_is_told_with_the_ids_of_the_joins(desk):
    organization = desk()
    made = [organization.create_contact(f"c{number}@example.org", tags="Volunteer") for number in range(12)]
    organization.crm.put(f"/api/Contact/Archive/{made[0]['id']}", json={}).raise_for_status()

    first = tagged(organization, 31).json()
    everyone = tagged(organization, 31, take=1000).json()["list"]
    organization.crm.delete(f"/api/ContactTag/{everyone[0]['contactTagId']}").raise_for_status()

    assert (len(first["list"]), first["total"]) == (10, 11)
    assert [row["id"] for row in everyone] == [contact["id"] for contact in made[1:]]
    assert [row["id"] for row in tagged(organization, 31, take=1).json()["list"]] == [made[2]["id"]]
    assert tagged(organization, 31, take=1001).status_code == 400
    assert tagged(organization, 999).status_code == 404


def test_one_bad_contact_refuses_the_whole_bulk_and_is_named(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")

    refused = organization.crm.post("/api/Tag/Bulk", json={"tagId": 31, "contactIds": [contact["id"], 1]})
    too_many = organization.crm.post("/api/Tag/Bulk", json={"tagId": 31, "contactIds": [contact["id"]] * 101})

    assert (refused.status_code, too_many.status_code) == (400, 400)
    assert refused.json()["error"]["details"][0]["field"] == "contactIds[1]"
    assert tagged(organization, 31).json()["total"] == 0


def test_one_bad_note_refuses_the_whole_bulk_and_is_named(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")
    good = {"contactId": contact["id"], "note": "fine"}

    def refusal(bad):
        answer = organization.crm.post("/api/ContactNote/Bulk", json={"notes": [good, bad]})
        return answer.status_code, answer.json()["error"]["details"][0]["field"]

    assert refusal({**good, "contactId": 1}) == (400, "notes[1].contactId")
    assert refusal({**good, "note": ""}) == (400, "notes[1].note")
    assert organization.crm.get(f"/api/ContactNote/ByContact/{contact['id']}").json()["total"] == 0


def test_bulk_endpoints_are_not_there_without_the_setting(desk):
    organization = desk(bulk_endpoints=False)

    assert organization.crm.post("/api/Tag/Bulk", json={"tagId": 31, "contactIds": []}).status_code == 404
    assert organization.crm.post("/api/ContactNote/Bulk", json={"notes": []}).status_code == 404


def test_the_journal_notes_each_join_by_its_own_id(desk, item):
    organization = desk()
    organization.submit(item("1", tags="Volunteer, Donor"))
    organization.admin.run_import(organization.name)
    (contact,) = organization.contacts()
    joins = organization.crm.get(f"/api/ContactTag/ByContact/{contact['id']}").json()
    organization.crm.delete(f"/api/ContactTag/{joins[0]['id']}").raise_for_status()

    writes = [write for row in organization.journal() for write in row["writes"] if write["record"] == "tag"]

    assert [(write["action"], write["record_id"], write["created"]) for write in writes] == [
        ("tag", joins[0]["id"], True),
        ("tag", joins[1]["id"], True),
        ("untag", joins[0]["id"], False),
    ]
    assert [write["fields"]["tag"] for write in writes] == ["Volunteer", "Donor", "Volunteer"]
    assert all(write["reference"] == ["VOMO", "1"] for write in writes)
