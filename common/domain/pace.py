"""How fast a backfill goes, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

#: Less time than this between two marks says nothing of a rate.
LEAST_SECONDS = 5.0
SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Read of total, in records or scopes; None: not known."""

    read: int
    total: int | None
    percent: float | None
    per_hour: float | None
    #: Of reading, without the time in which it may not.
    left_seconds: float | None


def pace(read: int, total: int | None, marks: Sequence[tuple[datetime, int]]) -> Pace:
    """`marks`: when how many were read, the oldest first. The total may be behind what there is now."""
    known = None if total is None else max(total, read)
    per_hour = _per_hour(marks)
    left = None if known is None or not per_hour else (known - read) / per_hour * SECONDS_AN_HOUR
    percent = None if known is None else round(100.0 * read / known, 1) if known else 100.0
    return Pace(read=read, total=known, percent=percent, per_hour=per_hour, left_seconds=left)


def _per_hour(marks: Sequence[tuple[datetime, int]]) -> float | None:
    if len(marks) < 2:  # noqa: PLR2004 - a rate is between two
        return None
    (began, first), (ended, last) = marks[0], marks[-1]
    seconds = (ended - began).total_seconds()
    return None if seconds < LEAST_SECONDS or last < first else round((last - first) / seconds * SECONDS_AN_HOUR, 1)
