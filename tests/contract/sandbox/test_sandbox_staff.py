"""Staff at work in the stand-in CRM+: what they do shows in the API and in the export, and in no journal entry."""

import httpx
import pytest


def person(email, **changes):
    names = {"firstName": "Ana", "lastName": "Ruiz", **changes}
    return {**names, "contactMethods": [{"type": "Home Email", "value": email}]}


def donor(organization, *people, **values):
    given = {"contactType": "Household", "contactIndividuals": list(people), **values}
    return organization.admin.create_contact(organization.name, **given)


def test_a_donor_who_was_there_before_is_found_by_email_and_reference_at_once(desk):
    organization = desk(index_lag_seconds=60)
    made = donor(
        organization,
        person("ana@example.org"),
        person("ben@example.org", firstName="Ben"),
        contactAddresses=[{"address1": "1 Elm Rise", "postal": "75074"}],
        references=[{"source": "VOMO", "id": 4101}],
    )

    by_email = organization.crm.get("/api/Contact/Find", params={"email": "ben@example.org"}).json()

    assert made["id"] == by_email["id"]
    assert organization.crm.get("/api/Contact/VOMO/4101").json() == by_email
    assert made["address"]["address1"] == "1 Elm Rise"
    assert organization.journal(method="POST") == []


def test_a_contact_that_staff_could_not_make_is_refused(desk):
    organization = desk()

    with pytest.raises(httpx.HTTPStatusError, match="422"):
        donor(organization, {"firstName": "Only"})
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        organization.admin.archive_contact(organization.name, 1)


def test_an_edit_corrects_in_place_and_moves_the_time(desk):
    organization = desk()
    made = donor(organization, person("old@example.org"), contactAddresses=[{"address1": "1 Elm Rise"}])
    changes = {"lastName": "Sol", "email": "new@example.org", "phone": "555-0101", "address1": "2 Flint Walk"}

    organization.admin.change_contact(organization.name, made["id"], **changes)
    seen = organization.crm.get(f"/api/Contact/{made['id']}").json()

    methods = seen["contactIndividuals"][0]["contactMethods"]
    assert seen["contactIndividuals"][0]["lastName"] == "Sol"
    assert [method["value"] for method in methods] == ["new@example.org", "555-0101"]
    assert seen["address"]["address1"] == "2 Flint Walk"
    assert seen["modifiedDateTimeUtc"] > made["modifiedDateTimeUtc"]
    assert organization.crm.get("/api/Contact/Find", params={"email": "old@example.org"}).status_code == 404


def test_an_edit_can_be_of_any_person_of_the_contact(desk):
    organization = desk()
    made = donor(organization, person("ana@example.org"), person("ben@example.org", firstName="Ben"))
    second = made["contactIndividuals"][1]["id"]

    changed = organization.admin.change_contact(organization.name, made["id"], individualId=second, firstName="Bo")

    assert [each["firstName"] for each in changed["contactIndividuals"]] == ["Ana", "Bo"]


def test_archiving_takes_a_contact_out_of_the_queries_and_back(desk):
    organization = desk()
    made = donor(organization, person("ana@example.org"))

    def total():
        return organization.crm.post("/api/Contact/Query", json={}).json()["total"]

    organization.admin.archive_contact(organization.name, made["id"])
    archived = total()
    organization.admin.archive_contact(organization.name, made["id"], archived=False)

    assert (archived, total()) == (0, 1)


@pytest.mark.parametrize("moves", [False, True])
def test_the_loser_of_a_merge_is_archived_and_its_references_follow_the_setting(desk, moves):
    organization = desk(merge_moves_references=moves)
    loser = donor(organization, person("a@example.org"), references=[{"source": "Acme", "id": "5"}])
    winner = donor(organization, person("b@example.org"))

    merged = organization.admin.merge_contacts(organization.name, loser=loser["id"], winner=winner["id"])
    found = organization.crm.get("/api/Contact/Acme/5").json()

    assert (merged["id"], merged["isArchived"], merged["mergedIntoContactId"]) == (loser["id"], True, winner["id"])
    assert found["id"] == (winner if moves else loser)["id"]
    assert organization.crm.get(f"/api/Contact/{winner['id']}").json()["isArchived"] is False


def test_a_contact_is_not_merged_into_itself(desk):
    organization = desk()
    made = donor(organization, person("a@example.org"))

    with pytest.raises(httpx.HTTPStatusError, match="422"):
        organization.admin.merge_contacts(organization.name, loser=made["id"], winner=made["id"])


def test_the_vendors_own_integration_leaves_one_user_in_three_behind(desk):
    organization = desk(vendor_integration=True, users=30)
    users = {user["id"]: user for user in organization.admin.export(organization.name)["source"]["users"].values()}

    contacts = organization.contacts()

    assert len(contacts) == 10
    for contact in contacts:
        ((source, key),) = [(row["source"], int(row["id"])) for row in contact["contactReferences"]]
        assert source == "VOMO"
        assert contact["contactIndividuals"][0]["contactMethods"][0]["value"] == users[key]["email"]
    assert desk().contacts() == []


def test_an_update_may_wait_for_a_person_while_others_pass(desk, item, eventually):
    organization = desk(import_mode="at_once", import_updates=False)
    known = organization.create_contact("known@example.org", referenceSource="VOMO", referenceId="1")
    organization.submit(item("1", lastName="Moved"), item("2"))

    def held():
        return organization.admin.export(organization.name)["destination"]["held"]

    eventually(lambda: organization.crm.get("/api/Contact/VOMO/2").status_code == 200)
    before = organization.crm.get(f"/api/Contact/{known['id']}").json()["contactIndividuals"][0]["lastName"]
    waiting = [(row["item"]["referenceId"], row["status"]) for row in held()]
    imported = organization.admin.run_import(organization.name)
    after = organization.crm.get(f"/api/Contact/{known['id']}").json()["contactIndividuals"][0]["lastName"]

    assert waiting == [("1", "update_needed")]
    assert (before, imported, after) == ("Quonox", 1, "Moved")
    assert held() == []


def test_what_brings_nothing_new_is_imported_without_a_person(desk, item, eventually):
    organization = desk(import_mode="at_once", import_updates=False)
    known = organization.create_contact("known@example.org")
    organization.submit(item("1", email="known@example.org"))

    eventually(lambda: organization.crm.get("/api/Contact/VOMO/1").status_code == 200)

    assert organization.crm.get("/api/Contact/VOMO/1").json()["id"] == known["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"email": "other@example.org"},
        {"phone": "555-0199"},
        {"address1": "2 Flint Walk"},
        {"tags": "Donor"},
        {"customFields": {"Shirt Size": "M"}},
        {"gender": "Female"},
    ],
)
def test_every_kind_of_news_counts_as_an_update(desk, item, eventually, change):
    organization = desk(import_mode="at_once", import_updates=False)
    organization.create_contact("contact1@example.org", referenceSource="VOMO", referenceId="1")
    organization.submit(item("1", **change))

    def states():
        return [row["status"] for row in organization.admin.export(organization.name)["destination"]["held"]]

    eventually(lambda: states() == ["update_needed"])
