"""What participations become at CRM+: a sign-up, and hours once there are any."""

from __future__ import annotations

import pytest
from support.volunteering import STARTS, Volunteering, a_date, a_participation, an_anytime_project, attended
from support.waiting import wait_until

from common.domain.errors import PageUnreadable, RateLimited, RecordInvalid, SystemUnavailable, UnknownOutcome
from common.domain.resources import PROJECT_DATES, PROJECTS, USERS
from common.domain.writes import Applied, Postponed, Refused
from common.http.client import make_transport

SIGN_UP = "/api/VolunteerOpportunity/{id}/Volunteers"
HOURS = "/api/VolunteerOpportunity/{id}/Volunteers/{vid}/Attendance"
CHANGE = "/api/VolunteerOpportunity/{id}/Attendance/{aid}"
SEARCH = "/api/Volunteer/Search"
FIRST, SECOND = "1011:1", "1011:1:Team Lead"


@pytest.fixture(scope="module")
def transport():
    with make_transport(2.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    """A person, a date, and the module."""

    def make(settings=None, **behaviour):
        access = organization(users=0, **{"volunteer_module": True, **behaviour})
        it = Volunteering(access, transport, sandbox, **(settings or {}))
        it.person()
        it.date()
        return it

    return make


def staff_sign_up(it, source_id="1"):
    opportunity = it.links[it.key(PROJECT_DATES, "1011")].destination_id
    person = int(it.links[it.key(USERS, source_id)].details["individual_id"])
    path = f"/api/VolunteerOpportunity/{opportunity}/Volunteers"
    return str(it.staff("POST", path, {"contactIndividualId": person})["id"])


def staff_hours(it, volunteer_id, hours):
    opportunity = it.links[it.key(PROJECT_DATES, "1011")].destination_id
    body = {
        "timeZone": "America/Chicago", "hours": hours, "startDateTimeUtc": "2025-11-03T15:00:00",
        "endDateTimeUtc": "2025-11-03T17:00:00",
    }  # fmt: skip
    path = f"/api/VolunteerOpportunity/{opportunity}/Volunteers/{volunteer_id}/Attendance"
    return str(it.staff("POST", path, body)["id"])


def without_seconds(text):
    return text[:16]


def test_a_participation_becomes_a_sign_up_and_no_attendance_while_nobody_came(desk):
    it = desk()
    answer = it.take_part(FIRST, a_participation())

    (row,) = it.shown("volunteers")
    assert answer.destination_id == str(row["id"])
    assert str(row["contactIndividualId"]) == it.links[it.key(USERS, "1")].details["individual_id"]
    assert it.shown("attendances") == []
    assert answer.details["attendance_id"] == ""
    assert "adopted" not in answer.details


def test_who_came_gets_an_attendance_with_hours_zone_and_times_exact_to_the_minute(desk):
    it = desk()
    answer = it.take_part(FIRST, attended("3.50", checked_in_at="2025-11-03T15:07:41+00:00"))

    (row,) = it.shown("attendances")
    assert (float(row["hours"]), row["timeZone"]) == (3.5, "America/Chicago")
    assert without_seconds(row["startDateTimeUtc"]) == "2025-11-03T15:07"
    assert without_seconds(row["endDateTimeUtc"]) == "2025-11-03T19:00"
    assert answer.details["attendance_id"] == str(row["id"])


def test_hours_without_a_check_in_were_worked_when_the_date_was(desk):
    it = desk()
    it.take_part(FIRST, a_participation(hours="2.00"))

    (row,) = it.shown("attendances")
    assert without_seconds(row["startDateTimeUtc"]) == "2025-11-03T15:00"
    assert without_seconds(row["endDateTimeUtc"]) == "2025-11-03T19:00"


def test_hours_of_an_anytime_project_have_the_times_of_the_person(desk):
    it = desk()
    it.apply(it.write(PROJECTS, "707", an_anytime_project()))
    it.take_part(
        "project-707:1",
        a_participation(project_id="707", project_date_id="", hours="1.50", signed_up_at="2025-11-05T08:00:00+00:00"),
    )

    (row,) = it.shown("attendances")
    assert without_seconds(row["startDateTimeUtc"]) == "2025-11-05T08:00"
    assert without_seconds(row["endDateTimeUtc"]) == "2025-11-05T09:30"


def test_late_hours_change_the_attendance_that_is_there(desk):
    it = desk()
    it.take_part(FIRST, a_participation())
    it.take_part(FIRST, attended("2.00"))
    before = it.mark()

    answer = it.take_part(FIRST, attended("3.25"))
    again = it.take_part(FIRST, attended("3.25"))

    assert it.hours() == [3.25]
    assert (answer.changed, again.changed) == (True, False)
    assert it.requests(before) == {f"GET {HOURS}": 2, f"PUT {CHANGE}": 1}
    assert len(it.shown("volunteers")) == 1


def test_hours_that_are_taken_back_go_down_to_none(desk):
    it = desk()
    it.take_part(FIRST, attended("2.00"))

    it.take_part(FIRST, a_participation())

    assert it.hours() == [0]


def test_two_roles_of_one_person_share_a_sign_up_and_keep_their_own_hours(desk):
    it = desk()
    it.take_part(FIRST, a_participation())
    it.take_part(SECOND, attended("2.00", role="Team Lead"))
    it.take_part(FIRST, attended("4.00"))
    it.take_part(SECOND, attended("2.50", role="Team Lead"))

    assert it.hours() == [2.5, 4]
    assert len(it.shown("volunteers")) == 1
    it.take_part(FIRST, attended("1.00"))
    assert it.hours() == [1, 2.5]


def test_two_roles_with_the_same_hours_are_two_attendances_also_when_answers_are_lost(desk):
    it = desk()
    it.take_part(FIRST, a_participation())
    it.take_part(SECOND, a_participation(role="Team Lead"))
    it.fault("drop_after_apply", method="POST", route=HOURS)
    for source_id, role in ((FIRST, "Volunteer"), (SECOND, "Team Lead")):
        with pytest.raises(UnknownOutcome):
            it.take_part(source_id, attended("4.00", role=role))
    it.sandbox.clear_faults()

    first = it.take_part(FIRST, attended("4.00"))
    second = it.take_part(SECOND, attended("4.00", role="Team Lead"))

    assert it.hours() == [4, 4]
    assert first.details["attendance_id"] != second.details["attendance_id"]
    assert not first.changed
    assert not second.changed


def test_the_end_of_one_role_leaves_the_hours_of_the_other(desk):
    it = desk()
    it.take_part(FIRST, attended("4.00"))
    it.take_part(SECOND, attended("2.00", role="Team Lead"))

    answer = it.take_part(FIRST, attended("4.00"), is_removal=True)
    again = it.take_part(FIRST, attended("4.00"), is_removal=True)

    assert it.hours() == [0, 2]
    assert (answer.changed, again.changed) == (True, False)
    assert len(it.shown("volunteers")) == 1


def test_a_sign_up_by_staff_is_adopted_the_oldest_of_several(desk):
    it = desk()
    oldest = staff_sign_up(it)
    staff_sign_up(it)

    answer = it.take_part(FIRST, attended("4.00"))

    assert (answer.destination_id, answer.details["adopted"]) == (oldest, True)
    assert len(it.shown("volunteers")) == 2
    assert it.hours() == [4]


def test_hours_that_staff_typed_in_are_taken_over_and_not_counted_twice(desk):
    it = desk()
    typed_in = staff_hours(it, staff_sign_up(it), 3)

    answer = it.take_part(FIRST, attended("4.00"))

    assert answer.details["attendance_id"] == typed_in
    assert it.hours() == [4]


def test_a_second_role_leaves_what_staff_typed_in_to_the_first(desk):
    it = desk()
    it.take_part(FIRST, a_participation())
    staff_hours(it, it.shown("volunteers")[0]["id"], 3)

    it.take_part(SECOND, attended("2.00", role="Team Lead"))

    assert it.hours() == [2, 3]


def test_a_sign_up_without_an_answer_is_found_and_not_made_again(desk):
    it = desk()
    it.fault("drop_after_apply", method="POST", route=SIGN_UP)
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()

    write = it.participation(FIRST, attended("4.00"))
    found = it.found(write)
    differs = it.destination.differs(write, found)
    it.link(write.entity, found.destination_id, found.details)
    it.take_part(FIRST, attended("4.00"))

    assert differs
    assert len(it.shown("volunteers")) == 1
    assert it.hours() == [4]


def test_an_attendance_without_an_answer_is_found_and_not_made_again(desk):
    it = desk()
    it.fault("drop_after_apply", method="POST", route=HOURS)
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()

    write = it.participation(FIRST, attended("4.00"))
    found = it.found(write)
    assert found.details["attendance_id"] == str(it.shown("attendances")[0]["id"])
    assert not it.destination.differs(write, found)


def test_a_late_attendance_without_an_answer_is_known_whatever_has_changed_since(desk):
    """An update is not looked at before it is sent again: it reads."""
    it = desk()
    it.take_part(FIRST, a_participation())
    it.fault("drop_after_apply", method="POST", route=HOURS)
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()

    it.take_part(FIRST, attended("2.00", checked_in_at="2025-11-03T17:00:00+00:00"))

    assert it.hours() == [2]


@pytest.mark.parametrize("lost", [SIGN_UP, HOURS])
def test_what_went_at_the_source_while_nobody_knew_of_its_sign_up_is_found_and_taken_back(desk, lost):
    it = desk()
    it.fault("drop_after_apply", method="POST", route=lost)
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()

    removal = it.participation(FIRST, attended("4.00"), is_removal=True)
    found = it.found(removal)
    it.link(removal.entity, found.destination_id, found.details)
    has_hours = it.destination.differs(removal, found)
    it.take_part(FIRST, attended("4.00"), is_removal=True)

    assert has_hours is (lost == HOURS)
    assert it.hours() in ([], [0])


def test_a_removal_of_what_never_arrived_finds_nothing(desk):
    it = desk()
    assert it.found(it.participation(FIRST, attended("4.00"), is_removal=True)) is None
    stranger = it.participation("9:1", attended("4.00", project_date_id="9"), is_removal=True)
    assert it.found(stranger) is None


def test_an_update_without_an_answer_may_be_looked_at_too(desk):
    it = desk()
    it.take_part(FIRST, a_participation())
    it.take_part(FIRST, attended("4.00"))
    landed, other = (it.participation(FIRST, attended(hours)) for hours in ("4.00", "3.00"))

    assert not it.destination.differs(landed, it.found(landed))
    assert it.destination.differs(other, it.found(other))


def test_a_participation_that_never_arrived_is_not_found(desk):
    it = desk()
    it.fault("drop_before_apply", method="POST", route=SIGN_UP)
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, a_participation())
    it.sandbox.clear_faults()

    assert it.found(it.participation(FIRST, a_participation())) is None


def test_what_the_index_does_not_show_yet_is_found_later(desk):
    it = desk(index_lag_seconds=0.3)
    it.fault("drop_after_apply", method="POST", route=SIGN_UP)
    with pytest.raises(UnknownOutcome):
        it.take_part(FIRST, a_participation())
    it.sandbox.clear_faults()

    write = it.participation(FIRST, a_participation())
    assert wait_until(lambda: it.found(write), seconds=5, what="the sign-up to be shown")


def test_a_look_whose_answer_is_no_answer_never_says_that_nobody_is_there(desk):
    it = desk()
    it.take_part(FIRST, a_participation())
    it.links.pop(it.key("participations", FIRST))
    it.fault("not_json", method="GET", route=SEARCH)

    with pytest.raises(PageUnreadable):
        it.found(it.participation(FIRST, a_participation()))
    with pytest.raises(SystemUnavailable) as raised:
        it.take_part(FIRST, a_participation())

    assert not raised.value.sent
    assert len(it.shown("volunteers")) == 1


def test_many_of_one_date_share_one_reading(desk):
    it = desk(settings={"deadline_seconds": 20.0})
    for number in range(2, 22):
        it.person(str(number))
    writes = [it.participation(f"1011:{n}", attended("4.00", user_id=str(n))) for n in range(2, 22)]
    before = it.mark()

    answers = it.apply(*writes)

    assert {type(answer) for answer in answers} == {Applied}
    assert {it.destination.group(write) for write in writes} == {it.destination.group(writes[0])}
    assert it.destination.group_limit(writes[0]) >= 20
    # Per 1,000 at 50 a reading: 20 readings, 1,000 sign-ups, and an attendance for each that came.
    assert it.requests(before) == {f"GET {SEARCH}": 1, f"POST {SIGN_UP}": 20, f"POST {HOURS}": 20}


def test_for_one_alone_only_its_own_sign_ups_are_read(desk):
    it = desk()
    it.take_part(FIRST, a_participation())

    (row,) = [row for row in it.sandbox.journal() if row["organization"] == it.access.name and row["route"] == SEARCH]
    assert f"contactIndividualId={it.links[it.key(USERS, '1')].details['individual_id']}" in row["query"]


def test_one_that_is_refused_stops_no_other(desk):
    it = desk()
    it.person("2")
    person = it.links[it.key(USERS, "2")]
    it.link(person.entity, person.destination_id, {"individual_id": "999999"})
    writes = [it.participation(f"1011:{n}", a_participation(user_id=n)) for n in ("2", "1")]

    refused, applied = it.apply(*writes)

    assert isinstance(refused, Refused)
    assert isinstance(applied, Applied)
    assert refused.refusal.field == "contactIndividualId"
    assert it.access.name in refused.refusal.message


def test_when_the_budget_ends_between_two_what_is_done_is_told_and_the_rest_waits(desk):
    it = desk(settings={"visibility_seconds": 300.0})
    it.person("2")
    writes = [it.participation(f"1011:{n}", attended("4.00", user_id=n)) for n in ("1", "2")]
    it.fault("script", script=[200, 200, 429], method="POST")

    applied, waits = it.apply(*writes)

    assert isinstance(applied, Applied)
    assert isinstance(waits, Postponed)
    assert (waits.until - it.clock.now()).total_seconds() > 299
    assert len(it.shown("volunteers")) == 1


def test_a_sign_up_whose_hours_must_wait_is_not_made_again(desk, transport):
    it = desk()
    it.fault("script", script=[200, 429], method="POST")
    waits = it.take_part(FIRST, attended("4.00"))
    it.sandbox.clear_faults()
    later = Volunteering(it.access, transport, it.sandbox)
    later.links = it.links

    later.take_part(FIRST, attended("4.00"))

    assert isinstance(waits, Postponed)
    assert len(it.shown("volunteers")) == 1
    assert it.hours() == [4]


def test_told_to_wait_before_anything_was_sent_all_wait(desk):
    it = desk()
    it.fault("rate_limit", retry_after_seconds=9)

    with pytest.raises(RateLimited):
        it.take_part(FIRST, a_participation())


def test_who_does_not_fit_into_one_deadline_comes_next(desk):
    it = desk(settings={"deadline_seconds": 0.5})
    people = [str(number) for number in range(2, 8)]
    for number in people:
        it.person(number)
    it.fault("latency", seconds=0.2, method="POST")
    writes = [it.participation(f"1011:{n}", a_participation(user_id=n)) for n in people]

    kinds = [type(answer) for answer in it.apply(*writes)]

    done = kinds.count(Applied)
    assert 0 < done < len(people)
    assert kinds == [Applied] * done + [Postponed] * (len(people) - done)
    assert len(it.shown("volunteers")) == done


def test_history_of_an_inactive_opportunity_arrives_and_it_is_inactive_again(desk):
    """The API takes nobody into an inactive one."""
    it = desk()
    it.date(desired=a_date(active=False))
    before = it.mark()

    answer = it.take_part(FIRST, attended("4.00"))

    assert isinstance(answer, Applied)
    assert it.hours() == [4]
    assert it.requests(before)[f"POST {SIGN_UP}"] == 2
    assert it.shown("opportunities")[0]["isActive"] is False


def test_an_opportunity_left_open_by_one_who_died_is_closed_by_whoever_looks(desk):
    it = desk()
    it.date(desired=a_date(active=False))
    opportunity = it.links[it.key(PROJECT_DATES, "1011")].destination_id
    it.fault("script", script=[200, 503], method="POST", route=SIGN_UP)
    with pytest.raises(SystemUnavailable):
        it.take_part(FIRST, a_participation())
    opened = it.shown("opportunities")[0]["isActive"]

    it.found(it.participation(FIRST, a_participation()))

    assert opened is True
    assert [(str(row["id"]), row["isActive"]) for row in it.shown("opportunities")] == [(opportunity, False)]


def test_a_sign_up_that_staff_removed_is_told_and_one_they_made_instead_is_taken(desk):
    it = desk()
    link = it.links[it.key(PROJECT_DATES, "1011")]
    details = {"opportunity_id": link.destination_id, "attendance_id": ""}
    it.link(it.key("participations", FIRST), "999999", details)

    gone = it.take_part(FIRST, attended("4.00"))
    instead = staff_sign_up(it)
    taken = it.take_part(FIRST, attended("4.00"))

    assert isinstance(gone, Refused)
    assert gone.refusal.reason == "sign_up_gone"
    assert "replay" in gone.refusal.message
    assert taken.destination_id == instead
    assert it.hours() == [4]


def test_a_person_who_is_not_on_the_contact_yet_is_waited_for(desk):
    it = desk()
    person = it.links[it.key(USERS, "1")]
    it.link(person.entity, person.destination_id, {"individual_id": ""})

    answer = it.take_part(FIRST, a_participation())

    assert isinstance(answer, Postponed)
    assert it.shown("volunteers") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": "four"}, "hours"),
        ({"hours": "-1.00"}, "hours"),
        ({"checked_in_at": "at nine"}, "checked_in_at"),
        ({"checked_in_at": STARTS, "checked_out_at": "2025-11-03T14:00:00+00:00"}, "checked_out_at"),
    ],
)
def test_a_participation_that_cannot_be_read_is_refused_before_any_request(desk, changes, field):
    it = desk()
    before = it.mark()

    with pytest.raises(RecordInvalid, match=field) as raised:
        it.destination.check(it.participation(FIRST, a_participation(**changes)))

    assert it.access.name in str(raised.value)
    assert not it.requests(before)


def test_hours_at_no_known_time_are_refused_and_not_dated_by_guess(desk):
    it = desk()
    it.apply(it.write(PROJECTS, "707", an_anytime_project()))
    timeless = a_participation(project_id="707", project_date_id="", hours="1.00")

    with pytest.raises(RecordInvalid, match="checked_in_at"):
        it.destination.check(it.participation("project-707:1", timeless))


def test_a_preview_shows_what_would_be_sent_and_sends_nothing(desk):
    it = desk()
    sign_up, hours = it.destination.preview(it.participation(FIRST, attended("4.00")))

    assert (sign_up.method, sign_up.route) == ("POST", SIGN_UP)
    assert (hours.route, hours.body["hours"]) == (HOURS, 4.0)
    assert it.shown("volunteers") == []
