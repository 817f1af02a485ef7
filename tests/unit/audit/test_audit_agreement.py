"""Facts besides people: what the auditor asks for, and every way in which the destination may fail it."""

from __future__ import annotations

import copy

import pytest

from deploy.audit.agreement import count, disagreements
from deploy.audit.report import Kind

MONDAY = 1_767_600_000  # 2026-01-05 08:00 UTC
ATTENDED = {"project_id": 701, "project_date_id": 1011, "role": "Volunteer", "hours": "4.00"}
COMPLETION = {"id": 90001, "form_id": 310, "user_id": 4101, "answers": [{"field_id": 77, "value": "M"}]}
EARNED = {"id": "81:4101", "certificate_id": 81, "user_id": 4101, "earned_at": MONDAY, "expires_at": MONDAY}

SOURCE = {
    "users": {"4101": {}, "4102": {}},
    "projects": [
        {"id": 701, "name": "Pantry", "anytime": 0},
        {"id": 702, "name": "Garden", "anytime": 1},
    ],
    "dates": [{"id": 1011, "project_id": 701, "starts_at": MONDAY, "ends_at": MONDAY + 3600}],
    "participations": {
        "4101": [ATTENDED, {**ATTENDED, "role": "Lead", "hours": "1.5"}],
        "4102": [{**ATTENDED, "project_id": 702, "project_date_id": None, "hours": "2.00"}],
    },
    "groups": [{"id": 61, "name": "Cooks now", "members": [4101]}],
    "completions": [COMPLETION],
    "certificates": [{"id": 81, "name": "Food"}],
    "earned": [EARNED],
    "changes": [
        {"resource": "groups", "kind": "create", "id": "61", "values": {"name": "Cooks"}},
        {"resource": "groups", "kind": "change", "id": "61", "values": {"name": "Cooks now"}},
        {"resource": "certificates", "kind": "create", "id": "81", "values": {"name": "Food"}},
    ],
}
DESTINATION = {
    "contacts": [
        {"id": 1000 + n, "isArchived": False, "contactReferences": [{"source": "Syncfleet", "id": str(4101 + n)}]}
        for n in range(2)
    ],
    "opportunities": [
        {"id": 1, "name": "Pantry", "startDateTime": "2026-01-05T02:00:00", "timeZone": "America/Chicago",
         "description": "Bring gloves. [Syncfleet project_dates/1011]"},
        {"id": 2, "name": "Garden", "description": "[Syncfleet projects/702]"},
    ],
    "volunteers": [
        {"id": 11, "volunteerOpportunityId": 1, "contactId": 1000},
        {"id": 12, "volunteerOpportunityId": 2, "contactId": 1001},
    ],
    "attendances": [
        {"id": 21, "volunteerId": 11, "hours": "4"}, {"id": 22, "volunteerId": 11, "hours": 1.5},
        {"id": 23, "volunteerId": 12, "hours": "2.00"}, {"id": 24, "volunteerId": 12, "hours": 0},
    ],
    "tags": [{"id": 31, "tagName": "Cooks"}, {"id": 32, "tagName": "Food"}, {"id": 33, "tagName": "Donor"}],
    "contact_tags": [
        {"id": 41, "contactId": 1000, "tagId": 31}, {"id": 42, "contactId": 1000, "tagId": 32},
        {"id": 43, "contactId": 1001, "tagId": 33},
    ],
    "notes": [
        {"id": 51, "contactId": 1000, "note": "Intake: M [Syncfleet form_completions/90001]"},
        {"id": 52, "contactId": 1000, "note": "Food until 2026-01-05 [Syncfleet earned_certificates/81:4101]"},
    ],
}  # fmt: skip


@pytest.fixture
def export():
    """One organization of which everything is as it should be."""
    settings = {"volunteer_module": True}
    return copy.deepcopy({"settings": settings, "source": SOURCE, "destination": DESTINATION})


def found(export):
    return [(finding.kind, finding.entity_id, finding.field) for finding in disagreements("acme", export, "Syncfleet")]


def test_what_agrees_gives_no_finding(export):
    assert found(export) == []
    assert count(export) == 7


@pytest.mark.parametrize(
    ("table", "row", "key"),
    [
        ("opportunities", 0, "project_dates/1011"),
        ("opportunities", 1, "projects/702"),
        ("volunteers", 0, "participations/1011:4101"),
        ("contact_tags", 0, "group_members/61:4101"),
        ("contact_tags", 1, "earned_certificates/81:4101"),
        ("notes", 0, "form_completions/90001"),
        ("notes", 1, "earned_certificates/81:4101"),
    ],
)
def test_what_is_not_there_is_missing_and_what_is_there_twice_is_doubled(export, table, row, key):
    doubled, rows = copy.deepcopy(export), DESTINATION[table]
    doubled["destination"][table].append({**rows[row], "id": 99})
    del export["destination"][table][row]

    assert (Kind.MISSING, key, "") in found(export)
    assert (Kind.DUPLICATE, key, "") in found(doubled)


@pytest.mark.parametrize(
    ("table", "row", "change", "finding"),
    [
        ("opportunities", 0, {"name": "Other"}, (Kind.WRONG, "project_dates/1011", "name")),
        ("opportunities", 0, {"startDateTime": "2026-01-05T08:00:00"}, (Kind.WRONG, "project_dates/1011", "starts_at")),
        ("attendances", 0, {"hours": "3"}, (Kind.WRONG, "participations/1011:4101", "hours")),
        ("attendances", 3, {"hours": "1"}, (Kind.WRONG, "participations/project-702:4102", "hours")),
        ("notes", 0, {"note": "S [Syncfleet form_completions/90001]"},
         (Kind.WRONG, "form_completions/90001", "answer 77")),
        ("notes", 1, {"note": "Food [Syncfleet earned_certificates/81:4101]"},
         (Kind.WRONG, "earned_certificates/81:4101", "expires")),
        ("contact_tags", 2, {"tagId": 31}, (Kind.WRONG, "tag/4102", "")),
    ],
)  # fmt: skip
def test_what_differs_is_wrong_and_names_the_field(export, table, row, change, finding):
    export["destination"][table][row].update(change)

    assert found(export) == [finding]


def test_hours_of_a_participation_that_was_cancelled_must_be_gone_and_zero_is_gone(export):
    del export["source"]["participations"]["4102"]
    assert found(export) == [(Kind.WRONG, "participations/project-702:4102", "hours")]

    export["destination"]["attendances"][2]["hours"] = "0.00"
    assert found(export) == []


def test_a_member_who_left_must_lose_the_tag(export):
    export["source"]["groups"][0]["members"] = [4102]

    assert set(found(export)) == {(Kind.MISSING, "group_members/61:4102", ""), (Kind.WRONG, "tag/4101", "")}


def test_what_no_tag_is_there_for_is_not_asked_for(export):
    export["destination"]["tags"] = []
    export["destination"]["contact_tags"] = []

    assert found(export) == []


def test_without_the_module_nothing_of_it_is_asked_for(export):
    export["settings"]["volunteer_module"] = False
    for table in ("opportunities", "volunteers", "attendances"):
        export["destination"][table] = []

    assert found(export) == []
    assert count(export) == 3


def test_hours_of_two_roles_that_are_alike_count_both(export):
    export["source"]["participations"]["4101"][1]["hours"] = "4.00"
    export["destination"]["attendances"][1]["hours"] = "4.00"
    assert found(export) == []

    del export["destination"]["attendances"][1]
    assert found(export) == [(Kind.WRONG, "participations/1011:4101", "hours")]


def test_what_an_archived_contact_has_does_not_count(export):
    export["destination"]["contacts"][0]["isArchived"] = True

    assert {kind for kind, _, _ in found(export)} == {Kind.MISSING}
    assert {key for _, key, _ in found(export)} >= {
        "participations/1011:4101", "group_members/61:4101", "form_completions/90001"
    }  # fmt: skip
