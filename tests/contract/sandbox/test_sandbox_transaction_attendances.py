"""Hours that come with a submitted contact: checked at the door, kept at the import, shown by no endpoint."""

import pytest


def hours(**changes):
    row = {"volunteerOpportunityName": "Pantry", "date": "2026-01-02", "hours": "4.00"}
    return {name: value for name, value in {**row, **changes}.items() if value is not ...}


def kept(organization):
    return organization.admin.export(organization.name)["destination"]["transaction_attendances"]


@pytest.mark.parametrize("module", [True, False])
def test_hours_by_name_reach_the_contact_with_the_import_and_not_before(desk, item, module):
    organization = desk(volunteer_module=module)
    organization.submit(item("1", volunteerAttendances=[hours(), hours(date="2026-01-09", hours=1.5)]))

    before = kept(organization)
    organization.admin.run_import(organization.name)
    rows, (contact,) = kept(organization), organization.contacts()

    assert before == []
    assert [(row["date"], row["hours"]) for row in rows] == [("2026-01-02", "4.00"), ("2026-01-09", 1.5)]
    assert {row["contactId"] for row in rows} == {contact["id"]}
    assert {row["contactIndividualId"] for row in rows} == {contact["contactIndividuals"][0]["id"]}
    assert {tuple(row["reference"]) for row in rows} == {("VOMO", "1")}
    assert organization.admin.export(organization.name)["destination"]["attendances"] == []


def test_hours_go_to_the_contact_that_the_item_matches(desk, item):
    organization = desk()
    known = organization.create_contact("known@example.org")
    single = {"referenceSource": "VOMO", **item("7", email="known@example.org", volunteerAttendances=[hours()])}
    organization.crm.post("/api/Contact/Transaction", json=single).raise_for_status()
    organization.admin.run_import(organization.name)

    assert [row["contactId"] for row in kept(organization)] == [known["id"]]


def test_the_same_hours_sent_twice_are_there_twice(desk, item):
    organization = desk()
    for _ in range(2):
        organization.submit(item("1", volunteerAttendances=[hours()]))
    organization.admin.run_import(organization.name)

    assert len(kept(organization)) == 2


def test_an_opportunity_by_id_or_by_its_only_name_is_kept_by_id(desk, item):
    organization = desk()
    opportunity = organization.crm.post("/api/VolunteerOpportunity", json={"name": "Pantry"}).json()["id"]
    by_id = hours(volunteerOpportunityName=..., volunteerOpportunityId=str(opportunity))
    organization.submit(item("1", volunteerAttendances=[by_id, hours(), hours(volunteerOpportunityName="Other")]))
    organization.admin.run_import(organization.name)

    assert [row["volunteerOpportunityId"] for row in kept(organization)] == [opportunity, opportunity, None]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"volunteerOpportunityId": 1}, "volunteerOpportunityId"),
        ({"volunteerOpportunityName": ...}, "volunteerOpportunityName"),
        ({"date": ...}, "date"),
        ({"date": "soon"}, "date"),
        ({"hours": ...}, "hours"),
        ({"hours": "four"}, "hours"),
        ({"hours": "-1"}, "hours"),
    ],
)
def test_bad_hours_refuse_the_whole_batch_and_are_named(desk, item, status, changes, field):
    organization = desk(refusal_status=status)
    bad = item("3", volunteerAttendances=[hours(), hours(**changes)])

    answer = organization.submit(item("1"), item("2"), bad)

    assert answer.status_code == status
    details = [detail["field"] for detail in answer.json()["error"]["details"]]
    assert details == [f"contacts[2].volunteerAttendances[1].{field}"]
    assert organization.admin.run_import(organization.name) == 0


@pytest.mark.parametrize("rows", ["four hours", [4], {"hours": 4}])
def test_hours_that_are_no_rows_are_refused(desk, item, rows):
    assert desk().submit(item("1", volunteerAttendances=rows)).status_code == 422


def test_the_import_notes_the_hours_in_the_journal(desk, item):
    organization = desk()
    organization.submit(item("1", volunteerAttendances=[hours()]))
    organization.admin.run_import(organization.name)

    (submitted,) = organization.journal(method="POST", route="/api/Contact/Batch")
    (imported,) = organization.journal(method="IMPORT")
    _, write = imported["writes"]

    assert (write["record"], write["action"], write["created"]) == ("attendance", "transaction_attendance", True)
    assert write["record_id"] == kept(organization)[0]["id"]
    assert write["fields"] == {"date": "2026-01-02", "hours": "4.00", "opportunity": "Pantry"}
    assert (write["submission"], write["reference"]) == (submitted["seq"], ["VOMO", "1"])
