"""What dates of projects, and projects without any, become at CRM+."""

from __future__ import annotations

import pytest
from support.volunteering import ENDS, STARTS, Volunteering, a_date, an_anytime_project
from support.waiting import wait_until

from common.domain.errors import PageUnreadable, RecordInvalid, RecordRefused, SystemUnavailable, UnknownOutcome
from common.domain.resources import PROJECT_DATES, PROJECTS
from common.domain.writes import Applied, Matched
from common.http.client import make_transport

ROUTE = "/api/VolunteerOpportunity"


@pytest.fixture(scope="module")
def transport():
    with make_transport(2.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    def make(settings=None, **behaviour):
        access = organization(users=0, **{"volunteer_module": True, **behaviour})
        return Volunteering(access, transport, sandbox, **(settings or {}))

    return make


def test_a_date_becomes_an_opportunity_in_the_time_of_its_place(desk):
    it = desk()
    link = it.date()

    (row,) = it.shown("opportunities")
    assert (row["name"], row["startDateTime"], row["endDateTime"], row["timeZone"], row["isActive"]) == (
        "Quonox Pantry", "2025-11-03T09:00:00", "2025-11-03T13:00:00", "America/Chicago", True,
    )  # fmt: skip
    assert row["description"] == "Sort tins.\n\n[Syncfleet project_dates/1011]"
    assert (row["locationName"], row["city"]) == ("12 Main St, Plano, TX 75074, USA", "Plano")
    assert link.destination_id == str(row["id"])
    assert link.details == {
        "name": "Quonox Pantry", "time_zone": "America/Chicago", "starts_at": STARTS, "ends_at": ENDS,
    }  # fmt: skip


def test_a_date_without_a_zone_is_given_in_utc(desk):
    it = desk()
    it.date(desired=a_date(time_zone=""))

    (row,) = it.shown("opportunities")
    assert (row["startDateTime"], row["timeZone"]) == ("2025-11-03T15:00:00", "UTC")


def test_an_anytime_project_becomes_an_opportunity_without_times(desk):
    it = desk()
    (answer,) = it.apply(it.write(PROJECTS, "707", an_anytime_project()))

    (row,) = it.shown("opportunities")
    assert "startDateTime" not in row
    assert row["description"] == "[Syncfleet projects/707]"
    assert answer.details["starts_at"] == ""


@pytest.mark.parametrize("changes", [{"draft": True}, {"active": False}])
def test_what_nobody_can_sign_up_for_at_the_source_is_inactive(desk, changes):
    it = desk()
    it.apply(it.write(PROJECTS, "707", an_anytime_project(**changes)))

    assert it.shown("opportunities")[0]["isActive"] is False


def test_a_change_reads_first_and_sends_the_whole(desk):
    it = desk()
    link = it.date()
    it.staff("PUT", f"{ROUTE}/{link.destination_id}", {"currentNeed": 12, "name": "Quonox Pantry"})
    before = it.mark()

    (answer,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(project_name="Renamed", active=False)))

    (row,) = it.shown("opportunities")
    assert isinstance(answer, Applied)
    assert answer.changed
    assert (row["name"], row["isActive"], row["currentNeed"]) == ("Renamed", False, 12)
    assert it.requests(before) == {f"GET {ROUTE}/{{id}}": 1, f"PUT {ROUTE}/{{id}}": 1}


def test_a_change_that_is_repeated_changes_nothing(desk):
    it = desk()
    it.date()
    before = it.mark()

    (answer,) = it.apply(it.write(PROJECT_DATES, "1011", a_date()))

    assert not answer.changed
    assert it.requests(before) == {f"GET {ROUTE}/{{id}}": 1}


def test_a_blank_never_erases_what_staff_have_written(desk):
    it = desk()
    link = it.date()
    text = "Ours.\n[Syncfleet project_dates/1011]\nMore of staff."
    it.staff("PUT", f"{ROUTE}/{link.destination_id}", {"description": text, "name": "Quonox Pantry"})

    (answer,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(description="", address="")))

    assert not answer.changed
    assert it.shown("opportunities")[0]["description"] == text


def test_custom_fields_go_as_a_map_first_and_as_a_list_later(desk):
    it = desk()
    it.date(desired=a_date(custom_fields={"Project Kind": "Early"}))
    first = it.shown("opportunities")[0]["customFields"]
    it.apply(it.write(PROJECT_DATES, "1011", a_date(custom_fields={"Project Kind": "Late"})))
    before = it.mark()

    (again,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(custom_fields={"Project Kind": "Late"})))

    assert _values(first) == {"Project Kind": "Early"}
    assert _values(it.shown("opportunities")[0]["customFields"]) == {"Project Kind": "Late"}
    assert not again.changed
    assert it.requests(before)[f"PUT {ROUTE}/{{id}}"] == 0


def _values(fields):
    return fields if isinstance(fields, dict) else {row["name"]: row["value"] for row in fields}


def test_a_removal_makes_it_inactive_and_deletes_nothing(desk):
    it = desk()
    it.date()

    (answer,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(), is_removal=True))
    (again,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(), is_removal=True))

    (row,) = it.shown("opportunities")
    assert (answer.changed, again.changed) == (True, False)
    assert (row["isActive"], row["name"]) == (False, "Quonox Pantry")


def test_what_comes_back_is_active_again(desk):
    it = desk()
    it.date()
    it.apply(it.write(PROJECT_DATES, "1011", a_date(), is_removal=True))

    it.apply(it.write(PROJECT_DATES, "1011", a_date()))

    (row,) = it.shown("opportunities")
    assert row["isActive"] is True


def test_one_that_staff_deleted_is_not_made_again_but_told(desk):
    it = desk()
    it.link(it.key(PROJECT_DATES, "1011"), "999999", {})

    with pytest.raises(RecordRefused, match=f"{it.access.name}.*deleted there") as raised:
        it.apply(it.write(PROJECT_DATES, "1011", a_date()))
    (removal,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(), is_removal=True))

    assert (raised.value.reason, raised.value.field) == ("opportunity_gone", "id")
    assert not removal.changed
    assert it.shown("opportunities") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_at": ""}, "starts_at"),
        ({"starts_at": "next Monday"}, "starts_at"),
        ({"starts_at": "2025-11-03T15:00:00"}, "starts_at"),
        ({"ends_at": "later"}, "ends_at"),
        ({"ends_at": "2025-11-03T14:00:00+00:00"}, "ends_at"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"project_name": ""}, "project_name"),
    ],
)
def test_a_date_that_cannot_be_read_is_refused_before_any_request(desk, changes, field):
    it = desk()

    with pytest.raises(RecordInvalid, match=field) as raised:
        it.destination.check(it.write(PROJECT_DATES, "1011", a_date(**changes)))

    assert raised.value.field == field
    assert it.access.name in str(raised.value)
    assert "at the source" in str(raised.value)
    assert not it.requests()


def test_a_create_without_an_answer_is_found_by_its_key_and_not_made_again(desk):
    it = desk()
    it.destination.look([it.write(PROJECT_DATES, "1011", a_date())], it.clock.now())
    it.fault("drop_after_apply", method="POST", route=ROUTE)
    with pytest.raises(UnknownOutcome):
        it.date()
    it.sandbox.clear_faults()

    write = it.write(PROJECT_DATES, "1011", a_date())
    found = it.found(write)

    assert found.destination_id == str(it.shown("opportunities")[0]["id"])
    assert found.details["starts_at"] == STARTS
    assert not it.destination.differs(write, found)
    assert it.destination.differs(it.write(PROJECT_DATES, "1011", a_date(project_name="Other")), found)
    assert it.found(it.write(PROJECT_DATES, "101", a_date())) is None


def test_it_is_found_among_more_than_one_page_and_only_by_the_whole_key(desk):
    it = desk()
    for number in range(12):
        it.date(str(2000 + number))

    found = it.found(it.write(PROJECT_DATES, "2011", a_date()))

    assert found.destination_id == it.links[it.key(PROJECT_DATES, "2011")].destination_id


@pytest.mark.parametrize("kind", ["not_json", "truncate_page"])
def test_a_list_that_is_none_never_says_that_something_is_not_there(desk, kind):
    it = desk()
    it.date("1")
    it.date("2")
    it.fault(kind, method="GET", route=ROUTE)

    with pytest.raises(PageUnreadable):
        it.found(it.write(PROJECT_DATES, "2", a_date()))


def test_of_two_with_our_key_the_oldest_is_ours(desk):
    it = desk()
    oldest = it.date().destination_id
    it.links.clear()
    it.date()

    assert it.found(it.write(PROJECT_DATES, "1011", a_date())).destination_id == oldest


def test_one_that_an_earlier_life_of_the_hub_made_is_adopted(desk):
    it = desk()
    link = it.date()
    it.links.clear()
    write = it.write(PROJECT_DATES, "1011", a_date())

    matched = it.destination.match([write, it.write(PROJECT_DATES, "2", a_date())])

    assert matched == {
        write.entity: Matched(destination_id=link.destination_id, details=link.details, rung="reference")
    }


def test_without_the_module_nothing_is_written_and_the_link_holds_the_name(desk):
    it = desk(volunteer_module=False)
    link = it.date()
    (project,) = it.apply(it.write(PROJECTS, "707", an_anytime_project()))
    it.apply(it.write(PROJECT_DATES, "1011", a_date(project_name="Renamed")))
    (removed,) = it.apply(it.write(PROJECT_DATES, "1011", a_date(project_name="Renamed"), is_removal=True))

    assert (link.destination_id, link.details["starts_at"]) == ("name:Quonox Pantry", STARTS)
    assert (project.destination_id, project.changed) == ("name:Fenmar Phone Line", False)
    assert it.links[it.key(PROJECT_DATES, "1011")].destination_id == "name:Renamed"
    assert not removed.changed
    assert it.requests() == {f"GET {ROUTE}": 1}


def test_the_module_is_asked_for_once_a_day(desk):
    it = desk(volunteer_module=False)
    it.date("1")
    it.date("2")
    once = it.requests()[f"GET {ROUTE}"]
    it.references.forget(it.access.name, "volunteer_module")
    it.date("3")

    assert (once, it.requests()[f"GET {ROUTE}"]) == (1, 2)


def test_when_the_module_comes_the_name_becomes_an_opportunity_and_only_once(desk):
    it = desk(volunteer_module=False)
    it.date()
    it.sandbox.change_organization(it.access.name, volunteer_module=True)
    it.references.forget(it.access.name, "volunteer_module")
    it.fault("drop_after_apply", method="POST", route=ROUTE)
    with pytest.raises(UnknownOutcome):
        it.date()
    it.sandbox.clear_faults()

    link = it.date()

    (row,) = it.shown("opportunities")
    assert link.destination_id == str(row["id"])


def test_a_probe_that_fails_has_sent_nothing(desk):
    it = desk()
    it.fault("error", status=503, method="GET", route=ROUTE)

    with pytest.raises(SystemUnavailable) as raised:
        it.date()

    assert not raised.value.sent
    assert it.shown("opportunities") == []


def test_a_preview_shows_what_would_be_sent_and_sends_nothing(desk):
    it = desk()
    write = it.write(PROJECT_DATES, "1011", a_date())
    (shown,) = it.destination.preview(write)
    unsent = it.shown("opportunities")
    it.apply(write)

    assert unsent == []
    assert (shown.method, shown.route, shown.body["name"]) == ("POST", ROUTE, "Quonox Pantry")
    assert it.destination.preview(it.write(PROJECT_DATES, "1011", a_date())) == []
    (change,) = it.destination.preview(it.write(PROJECT_DATES, "1011", a_date(project_name="Other")))
    assert (change.method, change.body["name"], change.body["isActive"]) == ("PUT", "Other", True)
    assert change.body["id"] == it.shown("opportunities")[0]["id"]


def test_what_the_list_does_not_show_yet_is_found_later(desk):
    it = desk(index_lag_seconds=0.3)
    it.fault("drop_after_apply", method="POST", route=ROUTE)
    with pytest.raises(UnknownOutcome):
        it.date()
    it.sandbox.clear_faults()

    write = it.write(PROJECT_DATES, "1011", a_date())
    assert wait_until(lambda: it.found(write), seconds=5, what="the opportunity to be listed")
