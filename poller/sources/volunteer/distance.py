"""How far a project date is from now: the nearer, the more often who takes part in it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from common.domain.projects import ProjectDate
from poller.sources.volunteer.settings import VolunteerSettings

NEAR_BEFORE, NEAR_AFTER = timedelta(days=1), timedelta(days=2)
WEEK = timedelta(days=7)
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Distance(StrEnum):
    """Of a date, as its start and end lie at a moment."""

    AHEAD = "ahead"  # before the window
    WINDOW = "window"
    WEEK = "week"
    NEAR = "near"
    PAST = "past"  # after the window


@dataclass(frozen=True, kw_only=True)
class Span:
    """When a date's zones begin and end; a zone ends where the next one out goes on."""

    start: datetime
    end: datetime
    opens: datetime
    closes: datetime

    @classmethod
    def of(cls, starts_at: str, ends_at: str, settings: VolunteerSettings) -> Self:
        """Of the ISO times of a canonical ProjectDate. An end that is missing, or before the start, is the start."""
        start = _moment(starts_at)
        end = max(start, _moment(ends_at)) if ends_at else start
        ahead, back = timedelta(days=settings.window_days_ahead), timedelta(days=settings.window_days_back)
        return cls(start=start, end=end, opens=_shifted(start, -ahead), closes=_shifted(end, back))

    def distance(self, moment: datetime) -> Distance:
        """The densest zone counts, and no zone reaches beyond the window."""
        if moment < self.opens:
            return Distance.AHEAD
        if moment > self.closes:
            return Distance.PAST
        if _shifted(self.start, -NEAR_BEFORE) <= moment <= _shifted(self.end, NEAR_AFTER):
            return Distance.NEAR
        inside = _shifted(self.start, -WEEK) <= moment <= _shifted(self.end, WEEK)
        return Distance.WEEK if inside else Distance.WINDOW

    def next_zone(self, moment: datetime) -> datetime | None:
        """When it next gets nearer, or leaves the window; None: never again. Farther zones on the way out come at the
        pace of the nearer one's last step, so they need no moment of their own.
        """
        return min((begin for begin in self._beginnings() if begin > moment), default=None)

    def _beginnings(self) -> Iterator[datetime]:
        yield from (self.opens, _shifted(self.start, -WEEK), _shifted(self.start, -NEAR_BEFORE), self.closes)


def distance(body: Any, settings: VolunteerSettings, now: datetime) -> Distance:
    """Of a canonical ProjectDate's body."""
    date = ProjectDate.from_body(body)
    return Span.of(date.starts_at, date.ends_at, settings).distance(now)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """Years at the ends of the calendar stay where they are: such a date is far away either way."""
    try:
        return moment + by
    except OverflowError:
        return LATEST if by > timedelta(0) else EARLIEST
