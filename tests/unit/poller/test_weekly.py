"""Full scans come once a week, at night, on a weekday of the customer's own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from support.builders import a_customer

from common.config.settings import Settings
from common.domain.customers import Mode
from common.domain.layers import Layer
from poller.schedule.slots import Slot
from poller.schedule.timetable import timetable_of

TIMETABLE = timetable_of(Settings(_env_file=None))
START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def full(customer_id="acme", resources=("users", "projects", "groups"), **changes):
    customer = a_customer(customer_id, **changes)
    turns = TIMETABLE.turns(customer, resources, ("users", "projects"))
    return next((turn for turn in turns if turn.layer is Layer.FULL), None)


def test_only_what_no_list_shows_whole_is_scanned():
    assert full().resources == ("users", "projects")
    assert full(resources=("groups",)) is None
    assert full(mode=Mode.NIGHTLY) is not None


def test_customers_are_spread_over_the_week():
    days = Counter(full(f"c{number}").slot.weekday for number in range(700))

    assert set(days) == set(range(7))
    assert min(days.values()) > 60


@pytest.mark.parametrize(
    "zone", ["UTC", "Pacific/Apia", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"]
)
def test_every_week_of_a_year_has_one_at_the_same_local_time(zone):
    turn, moment, seen = full(time_zone=zone), START, []
    while (following := turn.after(moment)[0]) < START + 365 * 86_400:
        moment = following
        seen.append(datetime.fromtimestamp(moment - turn.slot.offset_seconds, tz=ZoneInfo(zone)))

    assert len(seen) in (52, 53)
    assert {each.weekday() for each in seen} == {turn.slot.weekday}
    assert {each.time() for each in seen} == {time(3)}


def test_a_week_whose_date_a_zone_skipped_has_none():
    slot = Slot(at=time(3), zone="Pacific/Apia", weekday=date(2011, 12, 30).weekday())
    before = slot.moment(date(2011, 12, 23))

    assert slot.moment(date(2011, 12, 30)) is None
    assert slot.after(before)[1] == date(2012, 1, 6)
    assert slot.until(slot.after(before)[0] - 1)[1] == date(2011, 12, 23)


def test_one_that_was_missed_is_made_up():
    turn = full()
    at = turn.after(START)[0]

    assert turn.is_missed(at - 1, at + timedelta(days=3).total_seconds())
    assert not turn.is_missed(at + 1, at + timedelta(days=6).total_seconds())
