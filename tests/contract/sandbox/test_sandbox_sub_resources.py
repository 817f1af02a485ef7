"""Tags, notes and the volunteer module of the stand-in CRM+: nothing there has a key."""

import pytest


@pytest.fixture
def shop(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")
    return organization, contact


def test_a_tag_can_be_tied_twice_and_untied(shop):
    organization, contact = shop
    tag = organization.crm.get("/api/Tag").json()["list"][0]
    body = {"tagId": tag["id"], "contactId": contact["id"]}

    first, _ = (organization.crm.post("/api/ContactTag", json=body).json() for _ in range(2))
    twice = organization.crm.get(f"/api/Contact/{contact['id']}").json()["tags"]
    organization.crm.delete(f"/api/ContactTag/{first['id']}").raise_for_status()

    assert twice == [tag["tagName"]] * 2
    assert len(organization.crm.get(f"/api/ContactTag/ByContact/{contact['id']}").json()) == 1


def test_a_note_sent_twice_is_there_twice(shop):
    organization, contact = shop
    body = {"contactId": contact["id"], "type": "General", "note": "Served four hours", "noteDateTime": "2026-01-02"}

    made = [organization.crm.post("/api/ContactNote", json=body).json() for _ in range(2)]
    listed = organization.crm.get(f"/api/ContactNote/ByContact/{contact['id']}").json()

    assert listed["total"] == 2
    assert made[0]["id"] != made[1]["id"]


def test_bulk_endpoints_exist_in_some_organizations_only(shop, desk):
    organization, contact = shop
    body = {"tagId": 31, "contactIds": [contact["id"]]}

    assert len(organization.crm.post("/api/Tag/Bulk", json=body).json()) == 1
    assert desk(bulk_endpoints=False).crm.post("/api/Tag/Bulk", json=body).status_code == 404


def test_a_bulk_of_notes_is_all_or_nothing(shop):
    organization, contact = shop
    good = {"contactId": contact["id"], "note": "fine"}

    refused = organization.crm.post("/api/ContactNote/Bulk", json={"notes": [good, {"contactId": 1, "note": "lost"}]})
    listed = organization.crm.get(f"/api/ContactNote/ByContact/{contact['id']}").json()

    assert refused.status_code == 400
    assert listed["total"] == 0


def test_attendance_sent_twice_counts_twice(shop):
    organization, contact = shop
    opportunity = organization.crm.post("/api/VolunteerOpportunity", json={"name": "Pantry"}).json()
    base = f"/api/VolunteerOpportunity/{opportunity['id']}/Volunteers"
    person = contact["contactIndividuals"][0]

    volunteer = organization.crm.post(base, json={"contactIndividualId": person["id"]}).json()
    for _ in range(2):
        organization.crm.post(f"{base}/{volunteer['id']}/Attendance", json={"hours": "4.00"}).raise_for_status()

    assert organization.crm.get(f"{base}/{volunteer['id']}/Attendance").json()["total"] == 2
    assert organization.crm.get(base).json()["list"] == [volunteer]


def test_the_volunteer_module_is_missing_in_some_organizations(desk):
    assert desk(volunteer_module=False).crm.get("/api/VolunteerOpportunity").status_code == 404


def test_a_note_can_be_replaced_but_not_emptied(shop):
    organization, contact = shop
    body = {"contactId": contact["id"], "type": "General", "note": "Served four hours", "important": True}
    made = organization.crm.post("/api/ContactNote", json=body).json()
    path = f"/api/ContactNote/{made['id']}"

    changed = organization.crm.put(path, json={"type": "Meeting", "note": "Served five hours"}).json()

    assert (changed["type"], changed["note"], changed["important"]) == ("Meeting", "Served five hours", None)
    assert organization.crm.put(path, json={"type": "Meeting"}).status_code == 400


def test_notes_of_a_contact_come_in_pages_of_ten(shop):
    organization, contact = shop
    for number in range(11):
        organization.crm.post("/api/ContactNote", json={"contactId": contact["id"], "note": str(number)})

    page = organization.crm.get(f"/api/ContactNote/ByContact/{contact['id']}").json()

    assert (len(page["list"]), page["total"]) == (10, 11)


def test_the_journal_tells_each_note_with_its_text(shop):
    organization, contact = shop
    note = organization.crm.post("/api/ContactNote", json={"contactId": contact["id"], "note": "One"}).json()
    organization.crm.put(f"/api/ContactNote/{note['id']}", json={"note": "Two", "noteDateTime": "2026-01-02"})
    organization.crm.delete(f"/api/ContactNote/{note['id']}").raise_for_status()

    first, *rest = [write for row in organization.journal() for write in row["writes"]]

    assert (first["record"], first["record_id"], first["created"]) == ("contact", contact["id"], True)
    assert {(write["record"], write["record_id"], write["contact_id"]) for write in rest} == {
        ("note", note["id"], contact["id"])
    }
    assert [(write["action"], write["created"], write["fields"]) for write in rest] == [
        ("note", True, {"note": "One"}),
        ("note", False, {"note": "Two", "date": "2026-01-02"}),
        ("remove_note", False, {}),
    ]
