"""One person, date or answer is never taken for another, and what staff wrote is not undone by a blank."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import a_person
from support.labelling import Labelling
from support.volunteering import Volunteering, a_date, a_participation, attended

from common.domain.resources import PROJECT_DATES, USERS
from common.domain.writes import Applied
from common.http.client import make_transport

ROW, DATE = "1011:1", "1011"
SIZE = "Shirt Size"


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    """A person, a date, and the module."""

    def make(kind=Volunteering):
        it = kind(organization(users=0, volunteer_module=True), transport, sandbox, deadline_seconds=5.0)
        it.person()
        it.date()
        return it

    return make


def signed_up_by_staff(it):
    """With three hours that staff typed in."""
    place = f"/api/VolunteerOpportunity/{it.links[it.key(PROJECT_DATES, DATE)].destination_id}/Volunteers"
    person = int(it.links[it.key(USERS, "1")].details["individual_id"])
    return typed_in(it, it.staff("POST", place, {"contactIndividualId": person})["id"])


def typed_in(it, volunteer_id):
    place = f"/api/VolunteerOpportunity/{it.links[it.key(PROJECT_DATES, DATE)].destination_id}/Volunteers"
    body = {
        "timeZone": "America/Chicago", "hours": 3, "startDateTimeUtc": "2025-11-03T15:00:00",
        "endDateTimeUtc": "2025-11-03T18:00:00",
    }  # fmt: skip
    return it.staff("POST", f"{place}/{volunteer_id}/Attendance", body)


def test_hours_that_staff_typed_in_stay_while_the_source_has_none(desk):
    it = desk()
    signed_up_by_staff(it)
    it.take_part(ROW, a_participation())

    assert it.hours() == [3.0]


def test_hours_that_staff_typed_in_later_stay_when_a_sign_up_without_hours_changes(desk):
    it = desk()
    answer = it.take_part(ROW, a_participation())
    typed_in(it, answer.destination_id)
    it.take_part(ROW, a_participation(status="waitlisted"))

    assert it.hours() == [3.0]


def test_hours_that_staff_typed_in_stay_when_a_sign_up_without_hours_is_removed(desk):
    it = desk()
    answer = it.take_part(ROW, a_participation())
    typed_in(it, answer.destination_id)
    it.take_part(ROW, a_participation(), is_removal=True)

    assert it.hours() == [3.0]


def test_hours_that_staff_typed_in_are_kept_right_once_the_source_has_some_and_then_ours_to_take_back(desk):
    it = desk()
    signed_up_by_staff(it)
    it.take_part(ROW, attended("4.00"))
    assert it.hours() == [4.0]
    it.take_part(ROW, a_participation(), is_removal=True)

    assert it.hours() == [0.0]


def test_a_description_that_cites_the_key_of_another_date_is_not_taken_for_that_date(desk):
    it = desk()
    cites = a_date(project_id="702", project_name="Fenmar Library", description="As [Syncfleet project_dates/1012].")
    own, other = it.write(PROJECT_DATES, "1013", cites), it.write(PROJECT_DATES, "1012", a_date())
    (answer,) = it.apply(own)

    assert it.destination.match([other]) == {}
    assert it.found(other) is None
    assert it.found(own).destination_id == answer.destination_id
    assert not it.destination.differs(own, it.found(own))


def test_an_older_answer_never_replaces_a_newer_one_in_a_custom_field(desk):
    it = desk(Labelling)
    newer = it.completion("92", "1", completed_at="2026-03-01T00:00:00+00:00", custom_fields={SIZE: "L"})
    older = it.completion("91", "1", completed_at="2026-01-01T00:00:00+00:00", custom_fields={SIZE: "S"})
    it.apply(newer)
    it.reopen()
    (answer,) = it.apply(older)

    (contact,) = it.shown("contacts")
    assert {row["name"]: row["value"] for row in contact["customFields"]} == {SIZE: "L"}
    assert isinstance(answer, Applied)
    assert len(it.texts()) == 2


def test_of_several_people_in_a_contact_the_one_that_is_linked_by_hand_is_the_one_with_the_name(desk):
    it = desk()
    people = [{"firstName": "Ana", "lastName": "Quonox", "isPrimary": True}, {"firstName": "Bo", "lastName": "Quonox"}]
    home = it.staff("POST", "/api/Contact", {"contactType": "Household", "contactIndividuals": people})
    found = it.destination.find(USERS, str(home["id"]))
    link = it.link(it.key(USERS, "2"), found.destination_id, {**found.details, "adopted": True})
    bo = it.write(USERS, "2", a_person(first_name="Bo", last_name="Quonox", email="bo@example.org"))
    it.apply(replace(bo, link=link))

    (there,) = [row for row in it.shown("contacts") if row["id"] == home["id"]]
    assert [row["firstName"] for row in there["contactIndividuals"]] == ["Ana", "Bo"]
