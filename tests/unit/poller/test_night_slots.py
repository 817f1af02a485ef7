"""A year of nightly and reconciliation slots in five time zones, with both changes of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from support.builders import a_customer

from common.config.settings import Settings
from common.domain.customers import Mode
from common.domain.layers import Layer
from poller.schedule.timetable import timetable_of

TIMETABLE = timetable_of(Settings(_env_file=None))
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
#: Local hours of a slot; and dates on which the clocks change in 2026, first forward, then back (or the other way).
HOURS = {Layer.NIGHTLY: 22, Layer.RECONCILIATION: 3}
CHANGES = {
    "UTC": (),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "America/Santiago": (date(2026, 4, 4), date(2026, 9, 6)),
}


def slot(zone, layer):
    mode = Mode.NIGHTLY if layer is Layer.NIGHTLY else Mode.CONTINUOUS
    turns = TIMETABLE.turns(a_customer(time_zone=zone, mode=mode), ("users",))
    return next(turn.slot for turn in turns if turn.layer is layer)


@pytest.mark.parametrize("layer", HOURS)
@pytest.mark.parametrize("zone", CHANGES)
def test_a_simulated_year_has_one_slot_for_each_local_date_at_its_local_time(zone, layer):
    each, moment, seen = slot(zone, layer), START.timestamp(), []
    while moment < END.timestamp():
        moment, day = each.after(moment)
        seen.append((day, datetime.fromtimestamp(moment - each.offset_seconds, tz=ZoneInfo(zone))))

    days = [day for day, _ in seen]
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}
    assert {local.date() for _, local in seen} == set(days)
    assert {local.time() for _, local in seen} == {time(HOURS[layer])}
    assert set(CHANGES[zone]) <= set(days)


@pytest.mark.parametrize("zone", CHANGES)
def test_a_command_sees_the_slot_of_the_beat(zone):
    customer = a_customer(time_zone=zone, mode=Mode.NIGHTLY)

    assert TIMETABLE.night_slot(customer) == slot(zone, Layer.NIGHTLY)
