"""Hours in which a backfill may read: local, past midnight, and right on the days on which the clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from support.builders import NOW, a_customer
from support.recording import PollerRig
from support.roster import Roster
from support.scoped import STAFF, ScopedSource

from common.domain.customers import Mode
from common.domain.errors import CustomerInvalid
from common.domain.layers import Layer
from common.domain.resources import GROUP_MEMBERS, GROUPS
from common.domain.runs import RunState
from poller.schedule.hours import hours_of, read_hours

BERLIN = "Europe/Berlin"


def local(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-01-10T21:59:59", "2026-01-10T22:00"),
        ("2026-01-10T22:00", None),
        ("2026-01-11T05:59:59", None),
        ("2026-01-11T06:00", "2026-01-11T22:00"),
        ("2026-03-29T05:30", None),  # an hour was skipped in this night
        ("2026-10-25T05:30", None),  # one was repeated in this
        ("2026-10-25T06:00", "2026-10-25T22:00"),
    ],
)
def test_when_hours_past_midnight_open_next(now, opens):
    found = read_hours("22:00-06:00", BERLIN).opening(local(now))
    assert found == (None if opens is None else local(opens))


def test_hours_that_the_clocks_skip_are_left_out_that_day():
    """02:30 becomes 03:30, where they close."""
    hours = read_hours("02:30-03:30", BERLIN)
    assert hours.opening(local("2026-03-29T03:30")) == local("2026-03-30T02:30")
    assert hours.opening(local("2026-03-29T01:00")) == local("2026-03-30T02:30")


def test_a_year_of_minutes_agrees_with_the_wall_clock_but_for_the_nights_of_a_change():
    hours, moment, differing = read_hours("01:15-02:45", BERLIN), local("2026-01-01T00:00"), set()
    for _ in range(365 * 24 * 4):
        moment += timedelta(minutes=15)
        wall = moment.astimezone(ZoneInfo(BERLIN))
        if (hours.opening(moment) is None) != ("01:15" <= f"{wall:%H:%M}" < "02:45"):
            differing.add(wall.date().isoformat())
    assert differing <= {"2026-03-29", "2026-10-25"}


@pytest.mark.parametrize(
    ("seconds", "ends"), [(3600, "2026-01-10T23:00"), (9 * 3600, "2026-01-11T23:00"), (17 * 3600, "2026-01-12T23:00")]
)
def test_an_end_counts_only_the_hours(seconds, ends):
    assert read_hours("22:00-06:00", BERLIN).end_of(local("2026-01-10T12:00"), seconds) == local(ends)


@pytest.mark.parametrize("text", ["22-6", "24:00-06:00", "22:00-22:00", "22:00", "nights", "22:00-06:60"])
def test_what_is_no_span_is_refused_with_the_mend(text):
    with pytest.raises(CustomerInvalid, match=r"acme.*backfill_hours.*use 22:00-06:00"):
        hours_of(a_customer(backfill_hours=text))


def test_no_hours_are_any_time():
    assert hours_of(a_customer()) is None


def test_a_nightly_customers_hours_are_its_nights():
    assert hours_of(a_customer(backfill_hours="22:00-06:00", mode=Mode.NIGHTLY)) is None


class Rig(PollerRig):
    """A customer whose backfill may read at night only; it is noon."""

    def __init__(self, source, hours="22:00-06:00"):
        super().__init__(source)
        self.customers._customers["acme"] = a_customer(backfill_hours=hours)

    def become_nightly(self):
        self.customers._customers["acme"] = replace(self.customers.get("acme"), mode=Mode.NIGHTLY)


def test_outside_of_its_hours_a_backfill_reads_nothing_and_waits_for_them():
    roster = Roster()
    roster.put("u1", created=NOW - timedelta(days=9))
    rig = Rig(roster)
    assert rig.run() == RunState.CONTINUED
    assert (rig.checkpoint().continue_at, roster.queries) == (NOW.replace(hour=22), [])
    assert rig.run() is None

    rig.clock.advance(10 * 3600)
    assert rig.run() == RunState.COMPLETED


def test_polls_go_on_at_any_time():
    roster = Roster()
    rig = Rig(roster, hours="11:00-13:00")
    rig.run()
    rig.clock.advance(5 * 3600)

    assert rig.run() == RunState.COMPLETED


def test_a_backfill_that_reaches_the_end_of_its_hours_stops_at_the_page():
    roster = Roster(page_size=3)
    for number in range(30):
        roster.put(f"u{number:03}", created=NOW - timedelta(days=number))
    rig = Rig(roster, hours="11:00-12:01")
    roster.between = lambda: rig.clock.advance(15)

    assert rig.run() == RunState.CONTINUED
    assert len(roster.queries) == 4
    assert rig.checkpoint().continue_at == NOW.replace(day=2, hour=11)


def test_a_backfill_that_was_begun_before_its_customer_became_nightly_goes_on_in_the_night():
    roster = Roster(page_size=3)
    for number in range(9):
        roster.put(f"u{number:03}", created=NOW - timedelta(days=number))
    rig = Rig(roster, hours="11:00-12:01")
    roster.between = lambda: rig.clock.advance(40)
    assert rig.run() == RunState.CONTINUED
    rig.become_nightly()
    rig.clock.advance(23 * 3600)  # Its old hours open then; from here on the night counts, which is at another time.
    rig.clock.advance(3 * 3600)

    assert rig.run() == RunState.COMPLETED


@pytest.fixture
def walking():
    """Two groups, of which nobody has read the members yet; it is noon."""
    source = ScopedSource()
    source.group("1", "m1", "m2", "m3")
    source.group("2", "m4")
    rig = Rig(source, hours="11:00-12:01")
    assert rig.run(GROUPS) == RunState.COMPLETED
    source.queries.clear()
    return source, rig


def test_a_first_walk_reads_nothing_outside_of_its_hours_and_goes_on_where_it_was_when_they_open(walking):
    source, rig = walking
    source.between = lambda: rig.clock.advance(40)

    assert rig.run(GROUP_MEMBERS) == rig.run(GROUP_MEMBERS) == RunState.CONTINUED  # a slice ends, then the hours
    assert source.scopes_asked == ["group/1"]
    assert rig.tables.rows.checkpoints["acme", GROUP_MEMBERS, Layer.POLL].continue_at == NOW.replace(day=2, hour=11)
    assert rig.run(GROUP_MEMBERS) is None
    rig.clock.advance(23 * 3600)
    source.between = lambda: None
    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert list(dict.fromkeys(source.scopes_asked)) == ["group/1", "group/2", STAFF]


def test_once_walked_it_is_read_at_any_time(walking):
    source, rig = walking
    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    source.queries.clear()
    rig.clock.advance(5 * 3600)

    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert len(source.scopes_asked) == 3
