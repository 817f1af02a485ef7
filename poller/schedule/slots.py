"""Slots in a customer's local time: one moment for each local date, or weekday, on any side of a change of clocks.

A time that the clocks skip comes as long after the gap as it would have come after the gap's start (02:30 becomes
03:30); one that they repeat is its first. A local date that a zone skipped altogether has no slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Slots lie at most this many dates around the date of a moment: zones are up to 14 h from UTC, and one day may miss.
NEAREST_DAYS = range(-2, 4)
#: The same for weekly ones: two weeks, for a zone may skip the date of one.
NEAREST_WEEKDAYS = range(-16, 18)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Every day, or once a week, at `at` in `zone`, and `offset_seconds` later: customers of a zone do not all come at
    once.
    """

    at: time
    zone: str
    offset_seconds: float = 0.0
    #: 0 is Monday; None: every day.
    weekday: int | None = None

    def moment(self, day: date) -> float | None:
        """Unix seconds of the slot of a local date; None if the zone has no such date, or it is another weekday."""
        if self.weekday is not None and day.weekday() != self.weekday:
            return None
        base = _base(day, self.at, self.zone)
        return None if base is None else base + self.offset_seconds

    def after(self, moment: float) -> tuple[float, date]:
        """The first slot later than `moment`."""
        return min((at, day) for at, day in self._around(moment) if at > moment)

    def until(self, moment: float) -> tuple[float, date]:
        """The last slot not later than `moment`."""
        return max((at, day) for at, day in self._around(moment) if at <= moment)

    def _around(self, moment: float) -> list[tuple[float, date]]:
        today = datetime.fromtimestamp(moment - self.offset_seconds, tz=ZoneInfo(self.zone)).date()
        days = [today + timedelta(days=step) for step in (NEAREST_DAYS if self.weekday is None else NEAREST_WEEKDAYS)]
        return [(at, day) for day in days if (at := self.moment(day)) is not None]


# Thousands of customers share a few hundred zones, times and days.
@lru_cache(maxsize=8192)
def _base(day: date, at: time, zone: str) -> float | None:
    return _resolved(datetime.combine(day, at), zone).timestamp() if _exists(day, zone) else None


def _resolved(wall: datetime, zone: str) -> datetime:
    """Fold 0: of a repeated time the first; a skipped one by the offset that held before the gap."""
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def _exists(day: date, zone: str) -> bool:
    """No zone has skipped a noon without skipping the whole date."""
    noon = datetime.combine(day, time(12))
    return _resolved(noon, zone).astimezone(ZoneInfo(zone)).date() == day
