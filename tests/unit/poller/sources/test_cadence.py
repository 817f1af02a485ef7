"""When a scope is read again, as a table; and that no date is forgotten or asked for in a loop."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.groups import Group
from common.domain.projects import Project, ProjectDate
from common.domain.sources import WHOLE, Style
from poller.sources.volunteer.cadence import URGENCY, due_at
from poller.sources.volunteer.client import TERMS
from poller.sources.volunteer.distance import Distance, distance
from poller.sources.volunteer.plan import ScanPlan, Strategy, read_plan
from poller.sources.volunteer.settings import VolunteerSettings

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
SETTINGS = VolunteerSettings()
DATES, USERS = ScanPlan(), ScanPlan(participations=Strategy.USERS)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_project(**changes):
    return Project(**{"name": "P", **changes}).to_body()


def a_date(starts_in, *, lasts=2 * HOUR, ends=True):
    """A date that starts so long after noon."""
    start = NOON + starts_in
    ends_at = (start + lasts).isoformat() if ends else ""
    return ProjectDate(project_id="1", project_name="P", starts_at=start.isoformat(), ends_at=ends_at).to_body()


def due(resource, scope, parent=None, *, read_at=NOON, now=NOON, settings=SETTINGS, plan=DATES):
    return due_at(resource, scope, parent or {}, read_at=read_at, now=now, settings=settings, plan=plan)


@pytest.mark.parametrize(
    ("resource", "scope", "parent", "period"),
    [
        ("organizations", WHOLE, {}, DAY), ("campaigns", WHOLE, {}, DAY), ("certificates", WHOLE, {}, DAY),
        ("groups", WHOLE, {}, HOUR), ("forms", WHOLE, {}, HOUR),
        ("group_members", "group/61", Group(name="G").to_body(), HOUR),
        ("form_completions", "form/310", {}, 15 * MINUTE),
        ("project_dates", "today", {}, 15 * MINUTE),
        ("project_dates", "project/7", a_project(), DAY),
        ("project_dates", "project/7", a_project(active=False), 7 * DAY),
        ("project_dates", "project/7", a_project(draft=True), 7 * DAY),
        ("project_dates", "project/7", a_project(anytime=True), 7 * DAY),
    ],
)  # fmt: skip
def test_a_scope_is_read_at_once_and_then_after_its_period(resource, scope, parent, period):
    assert due(resource, scope, parent) == NOON + period
    assert due(resource, scope, parent, read_at=None) == NOON - URGENCY


#: A date by its start, seen at noon: when it is read next, having been read at noon, and with users as the strategy.
PACES = [
    (-40 * DAY, None, None),
    (-25 * DAY, DAY, timedelta(days=5, hours=2)),  # the last reading, as it leaves the window
    (-30 * DAY, 2 * HOUR, 2 * HOUR),
    (-8 * DAY, DAY, 7 * DAY),
    (-5 * DAY, 6 * HOUR, 7 * DAY),
    (-2 * DAY, 15 * MINUTE, 15 * MINUTE),
    (-2 * DAY - 3 * HOUR, 6 * HOUR, 7 * DAY),
    (-HOUR, 15 * MINUTE, 15 * MINUTE),
    (23 * HOUR, 15 * MINUTE, 15 * MINUTE),
    (DAY + HOUR, HOUR, HOUR),  # it gets near before its turn
    (5 * DAY, 6 * HOUR, 4 * DAY),
    (7 * DAY + 5 * HOUR, 5 * HOUR, 5 * HOUR),
    (9 * DAY, DAY, 2 * DAY),
    (13 * DAY, DAY, 6 * DAY),
    (15 * DAY, DAY, DAY),  # not before the window
    (100 * DAY, 86 * DAY, 86 * DAY),
]


@pytest.mark.parametrize(("starts_in", "with_dates", "with_users"), PACES)
def test_a_date_is_read_the_more_often_the_nearer_it_is(starts_in, with_dates, with_users):
    for plan, expected in ((DATES, with_dates), (USERS, with_users)):
        found = due("participations", "date/9", a_date(starts_in), plan=plan)
        assert found == (None if expected is None else NOON + expected)


@pytest.mark.parametrize(
    ("starts_in", "with_dates", "with_users"),
    [
        (-40 * DAY, NOON, None),  # history: once, or with the users' details
        (-5 * DAY, NOON - URGENCY, NOON - URGENCY),
        (HOUR, NOON - URGENCY, NOON - URGENCY),
        (20 * DAY, NOON + 6 * DAY, NOON + 6 * DAY),
    ],
)
def test_a_date_that_was_never_read_is_due_and_the_window_before_the_history(starts_in, with_dates, with_users):
    for plan, expected in ((DATES, with_dates), (USERS, with_users)):
        assert due("participations", "date/9", a_date(starts_in), read_at=None, plan=plan) == expected


@pytest.mark.parametrize(
    ("plan", "first", "then"),
    [
        (ScanPlan(needs_details=True), NOON, NOON + 7 * DAY),
        (ScanPlan(needs_details=False), NOON, None),
        (USERS, NOON, NOON + DAY),
    ],
)
def test_a_users_detail_is_read_once_and_again_where_it_alone_shows_hours(plan, first, then):
    assert due("participations", "user/7", read_at=None, plan=plan) == first
    assert due("participations", "user/7", plan=plan) == then


def test_the_window_and_the_paces_are_settings():
    settings = VolunteerSettings(window_days_back=60, window_days_ahead=2, near_seconds=60, details_seconds=86_400)

    assert due("participations", "date/9", a_date(-40 * DAY), settings=settings) == NOON + DAY
    assert due("participations", "date/9", a_date(3 * DAY), settings=settings) == NOON + DAY
    assert due("participations", "date/9", a_date(HOUR), settings=settings) == NOON + MINUTE
    assert due("participations", "user/7", settings=settings) == NOON + DAY


def test_a_date_without_an_end_ends_as_it_starts():
    assert distance(a_date(-2 * DAY - HOUR, ends=False), SETTINGS, NOON) is Distance.WEEK
    assert distance(a_date(-2 * DAY - HOUR, lasts=2 * HOUR), SETTINGS, NOON) is Distance.NEAR
    assert distance(a_date(-HOUR, lasts=-5 * DAY), SETTINGS, NOON) is Distance.NEAR


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31"])
def test_dates_at_the_ends_of_the_calendar_are_far_away(year):
    body = ProjectDate(project_id="1", project_name="P", starts_at=f"{year}T00:00:00+00:00").to_body()

    assert distance(body, SETTINGS, NOON) in (Distance.PAST, Distance.AHEAD)
    assert due("participations", "date/9", body) != NOON


def readings_of(body, plan):
    """A date read whenever it is due, by polls a minute apart."""
    now, read_at, readings = NOON, None, []
    while (moment := due("participations", "date/9", body, read_at=read_at, now=now, plan=plan)) is not None:
        read_at = max(now, moment)
        readings.append(read_at)
        now = read_at + MINUTE
    return readings


@given(st.integers(-45 * 24, 45 * 24), st.integers(0, 100), st.sampled_from([DATES, USERS]))
def test_a_date_is_followed_through_its_window_and_read_a_last_time_after_it(starts_in, lasts, plan):
    start, end = NOON + starts_in * HOUR, NOON + (starts_in + lasts) * HOUR
    readings = readings_of(a_date(starts_in * HOUR, lasts=lasts * HOUR), plan)

    if end + 30 * DAY < NOON:
        assert len(readings) == (plan is DATES)
        return
    assert end + 30 * DAY <= readings[-1] <= end + 30 * DAY + 2 * MINUTE
    near = [moment for moment in readings if start - DAY <= moment <= end + 2 * DAY]
    assert all(after - before <= 17 * MINUTE for before, after in itertools.pairwise(near))
    assert (near[0] <= max(NOON, start - DAY + MINUTE)) if near else end + 2 * DAY < NOON


def test_every_scope_of_every_resource_has_a_time():
    parents = {"project/1": a_project(), "date/1": a_date(HOUR)}
    scoped = {resource: terms for resource, terms in TERMS.items() if terms.style is Style.SCOPED}
    for resource, terms in scoped.items():
        for scope in (*terms.roots, *(f"{kind}/1" for kind in terms.parents.values())):
            assert due(resource, scope, parents.get(scope)) > NOON


@pytest.mark.parametrize(
    ("setting", "body", "expected"),
    [
        ("auto", {}, ScanPlan()),
        ("auto", {"participations": "users"}, USERS), ("auto", {"needs_details": False}, ScanPlan(needs_details=False)),
        ("auto", {"participations": "of a newer release", "needs_details": "?"}, ScanPlan()),
        ("dates", {"participations": "users"}, ScanPlan()),
        ("users", {}, USERS),
    ],
)  # fmt: skip
def test_a_plan_is_what_was_kept_unless_a_setting_says_otherwise(setting, body, expected):
    settings = VolunteerSettings(participations=setting)

    assert read_plan(body, settings) == expected
    assert read_plan(expected.to_body(), settings) == expected
