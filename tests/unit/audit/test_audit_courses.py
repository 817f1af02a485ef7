"""What is no contact never goes back to an older value, and two records may be written at once, in a real gate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.sealed import Desk, evidence_of, new_world, synchronise

from deploy.audit.report import Kind
from deploy.audit.run import verdict

DATE, USER = 1011, 4101
HOURS = {"startDateTimeUtc": "2026-02-01T10:00:00Z", "endDateTimeUtc": "2026-02-01T14:00:00Z", "timeZone": "UTC"}


@pytest.fixture
def made():
    return new_world()


@pytest.fixture
def desk(made):
    found = Desk(made, "acme")
    synchronise(found)
    return found


def breaks(evidence):
    return [(f.entity_id, f.field) for f in verdict(evidence).findings if f.kind == Kind.ORDER]


def edit(desk, method, path, values):
    return desk.send(method, f"/admin/organizations/acme/records/{path}", "", values)


def opportunity(desk, start="2026-01-05T08:00:00"):
    body = {
        "name": "Pantry", "startDateTime": start, "endDateTime": "2036-01-01T00:00:00", "timeZone": "UTC",
        "isActive": True, "description": f"[Syncfleet project_dates/{DATE}]",
    }  # fmt: skip
    return f"/api/VolunteerOpportunity/{desk.crm('POST', '/api/VolunteerOpportunity', body)['id']}"


def attendance(desk, hours):
    """A person of one row on the date, with hours; where they are changed."""
    edit(desk, "POST", "participations", {"user_id": USER, "project_date_id": DATE, "role": "Cook", "hours": hours})
    there = opportunity(desk)
    person = desk.organization.destination.contacts[1000].individuals[0].id
    signed = desk.crm("POST", f"{there}/Volunteers", {"contactIndividualId": person})
    row = desk.crm("POST", f"{there}/Volunteers/{signed['id']}/Attendance", {**HOURS, "hours": hours})
    return f"{there}/Attendance/{row['id']}"


def test_hours_that_go_back_to_older_ones_are_a_break_of_order(made, desk):
    desk.organization.source.attendance.place(USER, [])
    there = attendance(desk, "4.00")
    edit(desk, "PATCH", f"participations/{DATE}:{USER}", {"hours": "5.00"})
    desk.crm("PUT", there, {"hours": "5.00"})
    assert breaks(evidence_of(made)) == []

    desk.crm("PUT", there, {"hours": "4.00"})
    assert breaks(evidence_of(made)) == [(f"participations/{DATE}:{USER}", "hours")]


def test_a_start_that_goes_back_to_an_older_one_is_a_break_of_order(made, desk):
    first = desk.organization.source.dates[DATE]["starts_at"]
    for later in (first + 3600, first + 7200):
        edit(desk, "PATCH", f"project_dates/{DATE}", {"starts_at": later, "ends_at": later + 3600})
    there = opportunity(desk)
    for start in (first + 3600, first + 7200):
        desk.crm("PUT", there, {"startDateTime": text_of(start), "timeZone": "UTC"})
        assert breaks(evidence_of(made)) == []

    desk.crm("PUT", there, {"startDateTime": text_of(first + 3600), "timeZone": "UTC"})
    assert breaks(evidence_of(made)) == [(f"project_dates/{DATE}", "starts_at")]


def text_of(seconds):
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def certificate_note(desk, earned, end):
    edit(desk, "PATCH", f"earned_certificates/{earned}", {"expires_at": end})
    return f"Food until {text_of(end)[:10]} [Syncfleet earned_certificates/{earned}]"


def test_a_certificate_that_expires_sooner_again_is_a_break_of_order(made, desk):
    earned = desk.organization.source.earned.listing()[0]["id"]
    texts = [certificate_note(desk, earned, 1_800_000_000 + days * 86_400) for days in range(2)]
    body = {"contactId": 1000, "type": "General"}
    there = f"/api/ContactNote/{desk.crm('POST', '/api/ContactNote', {**body, 'note': texts[0]})['id']}"
    desk.crm("PUT", there, {**body, "note": texts[1]})
    assert breaks(evidence_of(made)) == []

    desk.crm("PUT", there, {**body, "note": texts[0]})
    assert breaks(evidence_of(made)) == [(f"earned_certificates/{earned}", "expires")]


def test_the_time_of_a_write_decides_and_not_its_place_in_the_journal(made, desk):
    project = desk.organization.source.dates[DATE]["project_id"]
    there = opportunity(desk)
    for name in ("Second", "Third"):
        edit(desk, "PATCH", f"projects/{project}", {"name": name})
        desk.crm("PUT", there, {"name": name})
    evidence = evidence_of(made)
    assert breaks(evidence) == []

    older, newer = (row["writes"][0] for row in evidence.journal[-2:])
    older["at"], newer["at"] = newer["at"], older["at"]
    assert breaks(evidence) == [(f"project_dates/{DATE}", "name")]


def test_two_records_that_are_written_at_once_are_no_break(made, desk):
    there = opportunity(desk)
    desk.crm("PUT", there, {"location": "Hall"})
    desk.crm("POST", "/api/ContactNote", {"contactId": 1000, "type": "General", "note": "Came."})
    evidence = evidence_of(made)
    evidence.journal[-2]["finished_at"] = evidence.journal[-1]["started_at"] + 60

    assert breaks(evidence) == []
