"""Hours where the organization has no volunteer module: sent once, with the contact, when they are final."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.volunteering import ENDS, STARTS, Volunteering, a_date, a_participation, an_anytime_project, attended

from common.domain.clock import ManualClock
from common.domain.errors import RateLimited, SystemUnavailable, UnknownOutcome
from common.domain.resources import PROJECTS, USERS
from common.domain.writes import Applied, Postponed, Refused
from common.http.client import make_transport

BATCH, QUERY = "POST /api/Contact/Batch", "POST /api/Contact/Query/FullContact"
OVER = datetime.fromisoformat(ENDS)
FIRST = "1011:1"


@pytest.fixture(scope="module")
def transport():
    with make_transport(2.0) as client:
        yield client


@pytest.fixture
def clock():
    """Ten days after the date."""
    return ManualClock(OVER + timedelta(days=10))


@pytest.fixture
def desk(organization, transport, sandbox, clock):
    """A person and a date, and no module."""

    def make(**settings):
        access = organization(users=0, volunteer_module=False, import_mode="by_hand")
        it = Volunteering(access, transport, sandbox, clock=clock, **settings)
        it.person()
        it.date()
        return it

    return make


def items(it):
    return [row["item"] for row in it.shown("held")]


def test_final_hours_go_with_the_contact_by_name_day_and_text(desk):
    it = desk()
    answer = it.take_part(FIRST, attended("4.00"))

    assert items(it) == [
        {
            "referenceId": "1", "contactType": "Household", "firstName": "Fenmar", "lastName": "Quonox",
            "volunteerAttendances": [
                {"volunteerOpportunityName": "Quonox Pantry", "date": "2025-11-03", "hours": "4.00"}
            ],
        }
    ]  # fmt: skip
    assert it.shown("held")[0]["source"] == "Syncfleet"
    assert (answer.destination_id, answer.details) == ("name:Quonox Pantry", {"hours_sent": "4.00"})


def test_the_day_is_that_of_the_place(desk):
    it = desk()
    it.date(desired=a_date(time_zone="Pacific/Auckland"))
    it.take_part(FIRST, attended("4.00"))

    assert items(it)[0]["volunteerAttendances"][0]["date"] == "2025-11-04"


def test_many_go_in_one_request_and_several_of_one_person_on_one_contact(desk):
    it = desk()
    people = [str(number) for number in range(1, 51)]
    for number in people[1:]:
        it.person(number)
    it.date("1012", a_date(project_name="Garden"))
    first = [it.participation(f"1011:{n}", attended("4.00", user_id=n)) for n in people]
    second = [it.participation(f"1012:{n}", attended("2.00", user_id=n, project_date_id="1012")) for n in people]
    limit = it.destination.group_limit(first[0])
    before = it.mark()

    answers = it.apply(*first, *second)

    assert len(answers) == limit == 100
    assert {type(answer) for answer in answers} == {Applied}
    # Per 1,000: twenty requests.
    assert it.requests(before) == {QUERY: 1, BATCH: 1}
    assert len(items(it)) == 50
    assert {len(item["volunteerAttendances"]) for item in items(it)} == {2}


@pytest.mark.parametrize(
    ("days", "changes", "until"),
    [
        (-3, {}, OVER + timedelta(days=7)),
        (5, {"hours": "4.00", "checked_in_at": STARTS, "checked_out_at": ENDS}, OVER + timedelta(days=7)),
        (10, {}, OVER + timedelta(days=30)),
    ],
    ids=["before it", "within the week", "nobody came"],
)
def test_what_may_change_yet_waits_and_nothing_is_sent(desk, clock, days, changes, until):
    it = desk()
    clock.current = OVER + timedelta(days=days)
    before = it.mark()

    answer = it.take_part(FIRST, a_participation(**changes))

    assert isinstance(answer, Postponed)
    assert answer.until == (until if changes or days == 10 else OVER + timedelta(days=30))
    assert not it.requests(before)


def test_verified_hours_are_final_at_once(desk, clock):
    it = desk()
    clock.current = OVER

    assert isinstance(it.take_part(FIRST, attended("4.00", verified=True)), Applied)
    assert len(items(it)) == 1


def test_how_long_hours_settle_is_a_setting(desk, clock):
    it = desk(hours_settle_days=2)
    clock.current = OVER + timedelta(days=3)

    assert isinstance(it.take_part(FIRST, attended("4.00")), Applied)


def test_who_did_not_come_ends_without_a_request(desk, clock):
    it = desk()
    clock.current = OVER + timedelta(days=31)
    before = it.mark()

    answer = it.take_part(FIRST, a_participation())

    assert isinstance(answer, Applied)
    assert not answer.changed
    assert not it.requests(before)


def test_what_is_sent_and_what_waits_share_no_request(desk):
    it = desk()
    sent = it.participation(FIRST, attended("4.00"))
    waits = it.participation(FIRST, a_participation())

    assert it.destination.group(sent) != it.destination.group(waits)


def test_hours_are_sent_once(desk):
    it = desk()
    it.take_part(FIRST, attended("4.00"))
    before = it.mark()

    answer = it.take_part(FIRST, attended("4.00", verified=True))

    assert isinstance(answer, Applied)
    assert not answer.changed
    assert not it.requests(before)


@pytest.mark.parametrize(("hours", "removal"), [("5.00", False), ("4.00", True)])
def test_hours_that_change_after_they_were_sent_are_for_a_person(desk, hours, removal):
    it = desk()
    it.take_part(FIRST, attended("4.00"))

    answer = it.take_part(FIRST, attended(hours), is_removal=removal)

    assert isinstance(answer, Refused)
    assert (answer.refusal.reason, answer.refusal.field) == ("hours_changed_after_import", "hours")
    assert "4.00" in answer.refusal.message
    assert "by hand" in answer.refusal.message
    assert it.access.name in answer.refusal.message
    assert len(items(it)) == 1


def test_what_became_of_a_request_without_an_answer_is_for_a_person_and_nothing_is_sent_twice(desk):
    it = desk()
    it.fault("drop_after_apply", method="POST", route="/api/Contact/Batch")
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()

    write = it.participation(FIRST, attended("4.00"))
    found = it.found(write)
    assert it.destination.differs(write, found)
    it.link(write.entity, found.destination_id, found.details)
    answers = [it.take_part(FIRST, attended("4.00")), it.take_part(FIRST, attended("4.00"), is_removal=True)]

    assert [answer.refusal.reason for answer in answers] == ["outcome_unknown"] * 2
    assert "look at the person's" in answers[0].refusal.message
    assert len(items(it)) == 1


def test_what_went_at_the_source_while_nobody_knew_of_its_hours_is_for_a_person(desk):
    it = desk()
    it.fault("drop_after_apply", method="POST", route="/api/Contact/Batch")
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()

    removal = it.participation(FIRST, attended("4.00"), is_removal=True)
    found = it.found(removal)
    assert it.destination.differs(removal, found)
    it.link(removal.entity, found.destination_id, found.details)
    answer = it.take_part(FIRST, attended("4.00"), is_removal=True)

    assert answer.refusal.reason == "outcome_unknown"


def test_where_there_was_nothing_to_send_nothing_is_in_doubt(desk):
    it = desk()

    assert it.found(it.participation(FIRST, a_participation())) is None


def test_a_reading_that_fails_has_sent_nothing(desk):
    """Else each outage would leave a hundred people's hours in doubt."""
    it = desk()
    it.fault("error", status=503, method="POST", route="/api/Contact/Query/FullContact")

    with pytest.raises(SystemUnavailable) as raised:
        it.take_part(FIRST, attended("4.00"))

    assert not raised.value.sent


def test_told_to_wait_nothing_is_in_doubt(desk):
    it = desk()
    it.fault("rate_limit", retry_after_seconds=9)

    with pytest.raises(RateLimited):
        it.take_part(FIRST, attended("4.00"))


def test_a_contact_without_our_reference_is_refused_for_the_import_would_make_a_second_one(desk):
    it = desk()
    person = it.links[it.key(USERS, "1")]
    it.link(it.key(USERS, "7"), person.destination_id, person.details)

    answers = it.apply(
        it.participation("1011:7", attended("4.00", user_id="7")), it.participation(FIRST, attended("4.00"))
    )

    assert isinstance(answers[0], Refused)
    assert answers[0].refusal.reason == "reference_missing"
    assert "replay" in answers[0].refusal.message
    assert isinstance(answers[1], Applied)
    assert [item["referenceId"] for item in items(it)] == ["1"]


def test_hours_of_a_person_whose_contact_was_merged_are_refused_for_nobody_would_see_them_there(desk):
    it = desk()
    it.person("2")
    loser, winner = (int(it.links[it.key(USERS, source_id)].destination_id) for source_id in ("1", "2"))
    it.sandbox.merge_contacts(it.access.name, loser=loser, winner=winner)
    answers = it.apply(
        it.participation(FIRST, attended("4.00")), it.participation("1011:2", attended("4.00", user_id="2"))
    )

    assert isinstance(answers[0], Refused)
    assert (answers[0].refusal.reason, answers[0].refusal.field) == ("contact_merged", "hours")
    assert str(winner) in answers[0].refusal.message
    assert isinstance(answers[1], Applied)
    assert [item["referenceId"] for item in items(it)] == ["2"]


def test_an_anytime_project_gives_its_name_and_the_day_of_the_person(desk):
    it = desk()
    it.apply(it.write(PROJECTS, "707", an_anytime_project()))
    it.take_part("project-707:1", attended("1.00", project_id="707", project_date_id=""))

    (sent,) = items(it)[0]["volunteerAttendances"]
    assert sent == {"volunteerOpportunityName": "Fenmar Phone Line", "date": "2025-11-03", "hours": "1.00"}


def test_a_preview_shows_the_item_and_sends_nothing(desk):
    it = desk()
    (shown,) = it.destination.preview(it.participation(FIRST, attended("4.00")))

    assert json.dumps(shown.body).count('"4.00"') == 1
    assert items(it) == []
    assert it.destination.preview(it.participation(FIRST, a_participation())) == []


def test_once_the_module_is_there_a_second_role_of_somebody_imported_signs_up_by_itself(desk, clock):
    it = desk()
    it.take_part(FIRST, attended("4.00"))
    it.sandbox.change_organization(it.access.name, volunteer_module=True)
    clock.current = datetime.now(tz=UTC)
    it.references.forget(it.access.name, "volunteer_module")
    it.date()

    answer = it.take_part("1011:1:Team Lead", attended("2.00", role="Team Lead"))

    assert isinstance(answer, Applied)
    assert answer.destination_id == str(it.shown("volunteers")[0]["id"])
