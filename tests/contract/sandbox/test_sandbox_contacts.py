"""Direct writes and lookups of the stand-in CRM+."""

import re

import pytest


def test_a_direct_creation_is_never_deduplicated(desk):
    organization = desk()

    first, second = (organization.create_contact("same@example.org") for _ in range(2))

    assert first["id"] != second["id"]
    assert organization.crm.get("/api/Contact/Find", params={"email": "same@example.org"}).json()["id"] == first["id"]


def test_a_full_contact_has_its_parts_and_times_without_a_zone(desk):
    organization = desk()
    made = [organization.create_contact(f"c{number}@example.org") for number in range(6)]

    stamps = [contact["createDateTimeUtc"] for contact in made]

    assert {len(stamp.partition(".")[2]) for stamp in stamps} == {2, 3, 4, 5, 6, 7}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{2,7}", stamp) for stamp in stamps)
    assert made[0]["contactIndividuals"][0]["contactId"] == made[0]["id"]
    assert made[0]["lifeToDateGiving"] == "$0"


def test_an_incomplete_creation_is_refused(desk):
    answer = desk().crm.post("/api/Contact", json={"contactIndividuals": [{"firstName": "Only"}]})

    assert answer.status_code == 422
    fields = [detail["field"] for detail in answer.json()["error"]["details"]]
    assert fields == ["contactType", "contactIndividuals[0].lastName"]


def test_a_reference_wins_over_an_email(desk):
    organization = desk()
    organization.create_contact("a@example.org")
    wanted = organization.create_contact("b@example.org", referenceSource="VOMO", referenceId="5")

    query = {"email": "a@example.org", "referenceSource": "VOMO", "referenceId": "5"}

    assert organization.crm.get("/api/Contact/Find", params=query).json()["id"] == wanted["id"]


def test_a_person_is_found_by_email_whatever_its_case(desk):
    organization = desk()
    made = organization.create_contact("Mixed@example.org")

    found = organization.crm.get("/api/ContactIndividual/Find", params={"email": "mixed@EXAMPLE.org"}).json()

    assert found["contactId"] == made["id"]
    assert organization.crm.get("/api/ContactIndividual/Find", params={"email": "x@example.org"}).status_code == 404


def test_lookups_may_lag_behind_a_creation(desk, eventually):
    organization = desk(index_lag_seconds=1)
    made = organization.create_contact("late@example.org", referenceSource="VOMO", referenceId="5")

    def status() -> int:
        return organization.crm.get("/api/Contact/VOMO/5").status_code

    assert status() == 404
    assert organization.crm.get(f"/api/Contact/{made['id']}").status_code == 200
    eventually(lambda: status() == 200)


def test_a_put_keeps_most_of_what_it_leaves_out(desk):
    organization = desk()
    extra = {"informalName": "The Foxes", "description": "gone soon", "customFields": {"Shirt Size": "M"}}
    made = organization.create_contact("a@example.org", **extra)

    body = {"contactType": "Household", "name": "New", "customFields": [{"name": "Hours Goal", "value": "42"}]}
    changed = organization.crm.put(f"/api/Contact/{made['id']}", json=body).json()

    assert (changed["name"], changed["informalName"], changed["description"]) == ("New", "The Foxes", None)
    assert {row["name"]: row["value"] for row in changed["customFields"]} == {"Shirt Size": "M", "Hours Goal": "42"}
    assert changed["contactIndividuals"] == made["contactIndividuals"]


def test_a_put_with_a_stale_time_is_a_conflict(desk):
    organization = desk()
    made = organization.create_contact("a@example.org")
    path = f"/api/Contact/{made['id']}"

    first = organization.crm.put(path, json={**made, "name": "One"})
    second = organization.crm.put(path, json={**made, "name": "Two"})

    assert (first.status_code, second.status_code) == (200, 409)


def test_an_archived_contact_leaves_the_queries_but_not_the_lookups(desk):
    organization = desk()
    made = organization.create_contact("a@example.org")
    query = {"groups": []}

    organization.crm.put(f"/api/Contact/Archive/{made['id']}", json={"archiveReason": "left"}).raise_for_status()
    hidden = organization.crm.post("/api/Contact/Query", json=query).json()
    shown = organization.crm.post("/api/Contact/Query", json={**query, "includeArchived": True}).json()

    assert (hidden["total"], shown["total"]) == (0, 1)
    assert organization.crm.get(f"/api/Contact/{made['id']}").json()["isArchived"] is True
    organization.crm.put(f"/api/Contact/Unarchive/{made['id']}").raise_for_status()
    assert organization.crm.post("/api/Contact/Query", json=query).json()["total"] == 1


def test_a_new_primary_method_unseats_its_kind_only(desk):
    organization = desk()
    person = organization.create_contact("old@example.org")["contactIndividuals"][0]
    body = {"contactIndividualId": person["id"], "type": "Work Email", "value": "new@example.org", "setAsPrimary": True}

    organization.crm.post("/api/ContactMethod", json=body).raise_for_status()
    methods = organization.crm.get(f"/api/ContactIndividual/{person['id']}").json()["contactMethods"]

    primary = {method["value"]: method["isPrimary"] for method in methods}
    assert primary == {"old@example.org": False, "555-0100": True, "new@example.org": True}


def test_a_method_can_be_changed_and_removed(desk):
    organization = desk()
    made = organization.create_contact("old@example.org")
    method = made["contactIndividuals"][0]["contactMethods"][0]

    organization.crm.put(f"/api/ContactMethod/{method['id']}", json={"value": "new@example.org"}).raise_for_status()
    by_old = organization.crm.get("/api/Contact/Find", params={"email": "old@example.org"})
    by_new = organization.crm.get("/api/Contact/Find", params={"email": "new@example.org"})
    organization.crm.delete(f"/api/ContactMethod/{method['id']}").raise_for_status()

    assert (by_old.status_code, by_new.status_code) == (404, 200)
    assert organization.crm.get("/api/Contact/Find", params={"email": "new@example.org"}).status_code == 404


def test_an_email_of_another_contact_may_be_a_conflict(desk):
    organization = desk(unique_emails=True)
    organization.create_contact("taken@example.org")
    person = organization.create_contact("free@example.org")["contactIndividuals"][0]

    body = {"contactIndividualId": person["id"], "type": "Home Email", "value": "taken@example.org"}

    assert organization.crm.post("/api/ContactMethod", json=body).status_code == 409


def test_people_come_and_go_and_keep_what_is_not_sent(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")
    body = {"contactId": contact["id"], "firstName": "Second", "lastName": "Person", "middleName": "Of"}

    person = organization.crm.post("/api/ContactIndividual", json=body).json()
    path = f"/api/ContactIndividual/{person['id']}"
    renamed = organization.crm.put(path, json={"firstName": "Renamed"}).json()
    listed = organization.crm.get(f"/api/ContactIndividual/ByContact/{contact['id']}").json()
    organization.crm.delete(path).raise_for_status()

    assert (renamed["firstName"], renamed["middleName"]) == ("Renamed", "Of")
    assert len(listed) == 2
    assert organization.crm.get(path).status_code == 404


def test_a_new_primary_address_is_the_one_shown(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org", contactAddresses=[{"address1": "1 Elm Rise"}])
    body = {"contactId": contact["id"], "address1": "2 Flint Walk", "city": "Mesa", "setAsPrimary": True}

    made = organization.crm.post("/api/ContactAddress", json=body).json()
    organization.crm.put(f"/api/ContactAddress/{made['id']}", json={"city": "Salem"}).raise_for_status()
    address = organization.crm.get(f"/api/Contact/{contact['id']}").json()["address"]

    assert (address["address1"], address["city"]) == ("2 Flint Walk", "Salem")
    assert len(organization.crm.get(f"/api/ContactAddress/ByContact/{contact['id']}").json()) == 2


def test_a_reference_can_be_added_later_and_removed(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")
    body = {"contactId": contact["id"], "referenceSource": "VOMO", "referenceId": "8"}

    organization.crm.post("/api/ContactReference", json=body).raise_for_status()
    found = organization.crm.get("/api/Contact/VOMO/8")
    organization.crm.delete("/api/ContactReference/VOMO", params={"referenceId": "8"}).raise_for_status()

    assert found.json()["id"] == contact["id"]
    assert organization.crm.get("/api/Contact/VOMO/8").status_code == 404


def test_every_direct_write_is_in_the_journal_with_what_it_set(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org", referenceSource="VOMO", referenceId="5")
    person = contact["contactIndividuals"][0]
    organization.crm.put(f"/api/ContactIndividual/{person['id']}", json={"firstName": "Renamed"})

    created, renamed = (row["writes"][0] for row in organization.journal() if row["writes"])

    assert created["reference"] == ["VOMO", "5"]
    assert created["fields"]["email"] == "a@example.org"
    assert renamed["contact_id"] == contact["id"]
    assert renamed["fields"] == {"first_name": "Renamed"}


@pytest.mark.parametrize(
    "path", ["Organization/Current", "Contact/Types", "ContactMethod/Types", "Contact/QueryOptions"]
)
def test_discovery_endpoints_answer(desk, path):
    assert desk().crm.get(f"/api/{path}").json()


def test_there_is_no_health_endpoint(desk):
    assert desk().crm.get("/api/Health").status_code == 404
