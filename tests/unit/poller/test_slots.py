"""Daily slots in local time: one moment for each date, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.schedule.slots import Slot

#: Half an hour of summer time; a day that was skipped; summer time but in Ramadan; two hours; changes at midnight.
ODD_ZONES = (
    "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll", "Atlantic/Azores", "UTC",
    "America/Sao_Paulo", "Asia/Beirut", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati",
)  # fmt: skip
FIRST, LAST = datetime(1975, 1, 1), datetime(2037, 1, 1)  # noqa: DTZ001 - local times
ZONES = sorted(available_timezones() - {"Factory", "localtime"})


def local(moment, zone):
    return datetime.fromtimestamp(moment, tz=ZoneInfo(zone))


def at(zone, hour, minute=0, offset=0.0):
    return Slot(at=time(hour, minute), zone=zone, offset_seconds=offset)


def test_a_slot_comes_at_its_local_time():
    moment = at("America/New_York", 3).moment(date(2026, 7, 1))

    assert datetime.fromtimestamp(moment, tz=UTC) == datetime(2026, 7, 1, 7, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_comes_after_the_gap():
    moment = at("America/New_York", 2, 30).moment(date(2026, 3, 8))

    assert local(moment, "America/New_York").replace(tzinfo=None) == datetime(2026, 3, 8, 3, 30)  # noqa: DTZ001


def test_a_time_that_the_clocks_repeat_is_its_first():
    moment = at("America/New_York", 1, 30).moment(date(2026, 11, 1))

    assert datetime.fromtimestamp(moment, tz=UTC) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_date_that_a_zone_skipped_has_no_slot():
    slot = at("Pacific/Apia", 3)

    assert slot.moment(date(2011, 12, 30)) is None
    moment, day = slot.after(slot.moment(date(2011, 12, 29)))
    assert (day, local(moment, "Pacific/Apia").date()) == (date(2011, 12, 31), date(2011, 12, 31))


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (0, 30), (2, 30), (3, 0), (22, 0), (23, 59)])
def test_every_date_of_ten_years_has_one_slot_and_they_follow_each_other(zone, hour, minute):
    slot = at(zone, hour, minute, offset=1800.0)
    moment, found = datetime(2010, 6, 1, tzinfo=UTC).timestamp(), []
    while moment < datetime(2020, 6, 1, tzinfo=UTC).timestamp():
        moment, day = slot.after(moment)
        found.append(day)

    steps = [after - before for before, after in pairwise(found)]
    assert set(steps) <= {timedelta(days=1), timedelta(days=2)}
    assert steps.count(timedelta(days=2)) == (zone == "Pacific/Apia")


@given(st.sampled_from(ZONES), st.times(), st.floats(0, 36_000), st.datetimes(FIRST, LAST))
def test_the_slot_after_a_moment_is_the_nearest_and_the_one_before_it_is_the_dates_neighbour(zone, wall, offset, when):
    slot, moment = Slot(at=wall, zone=zone, offset_seconds=offset), when.replace(tzinfo=UTC).timestamp()
    following, next_day = slot.after(moment)
    preceding, last_day = slot.until(moment)

    assert preceding <= moment < following
    assert following - preceding <= 51 * 3600
    assert last_day < next_day
    assert slot.until(following) == (following, next_day)
    between = [last_day + timedelta(days=n) for n in range(1, (next_day - last_day).days)]
    assert all(slot.moment(day) is None for day in between)


def test_slots_of_a_zone_are_spread_by_their_offset():
    first, later = at("Europe/Berlin", 3), at("Europe/Berlin", 3, offset=1234.5)

    assert later.moment(date(2026, 3, 29)) - first.moment(date(2026, 3, 29)) == 1234.5
