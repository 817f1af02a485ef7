"""Windows: how far a backfill by created time has come. Kept as JSON within its progress; instants are ISO, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

#: Between two marks. Their span is what a rate is taken over, so it has to outlast one slow answer.
MARK_EVERY = timedelta(seconds=30)
#: Marks that are kept: with the time between two, a rate over the last five minutes.
MARKS = 10
#: A silence of this length is no slow reading, but hours, a budget or an outage: the rate begins anew.
SILENCE = timedelta(minutes=10)


class Stage(StrEnum):
    """What a backfill reads now."""

    WHOLE = "whole"  # the list without a filter: first to learn its size, and all of it where that is small
    PROBE = "probe"  # whether the source heeds the filters
    WINDOWS = "windows"  # by created time, from the newest to the oldest
    NEW = "new"  # what was created since the start
    CHECK = "check"  # whether the filters together show all that the list has
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Windows:
    """A unit is what is read to its end and then sealed, or read again: a window, what is new, or the whole list."""

    #: By our clock.
    began: str
    stage: Stage = Stage.WHOLE
    #: Where polls go on once all is sealed: the source's clock at the first answer. None: nothing was answered yet.
    candidate: str | None = None
    #: Parts what the windows read from what was created since the start. None: not parted (yet).
    line: str | None = None
    #: Everything created from here up to the line is sealed; None: nothing yet.
    edge: str | None = None
    #: Bounds of the window that is being read; None: open.
    since: str | None = None
    until: str | None = None
    #: Of that window, in seconds, unless it is open at its lower end.
    width: float = 0.0
    #: Lower bounds of windows that were too large, the nearest last, each with the records from there up to the edge.
    stops: tuple[tuple[str, int], ...] = ()
    #: Windows in a row that were too large, or that held nothing.
    rejected: int = 0
    empty: int = 0
    #: Counts the readings of units: each has marks of its own in the mirror.
    unit: int = 0
    #: All pages of the unit are read: it can be sealed.
    is_read: bool = False
    #: What the list said at the start, or has shown to be more likely since.
    expected: int = 0
    #: Records of the sealed windows.
    read: int = 0
    #: Windows.
    sealed: int = 0
    #: Answers of a probe or a check so far.
    totals: tuple[int | None, ...] = ()
    #: When, and how many records were read by then; the oldest first.
    marks: tuple[tuple[str, int], ...] = ()

    def read_with(self, shown: int) -> int:
        """Records read, those that the present unit has shown among them. A last reading of all counts by itself."""
        if self.stage is Stage.WHOLE:
            return shown
        return self.read + (shown if self.stage is Stage.WINDOWS else 0)

    def marked(self, records: int, now: datetime) -> Windows:
        """With a mark, if it is time for one."""
        last = datetime.fromisoformat(self.marks[-1][0]) if self.marks else None
        if last is not None and now - last < MARK_EVERY:
            return self
        kept = self.marks if last is not None and now - last < SILENCE else ()
        return replace(self, marks=(*kept, (now.isoformat(), records))[-MARKS:])


def windows_from_json(value: Mapping[str, Any] | None) -> Windows | None:
    """JSON knows neither tuples nor the words of a stage."""
    if not value:
        return None
    pairs = {name: tuple((at, records) for at, records in value[name]) for name in ("marks", "stops")}
    lists = {"totals": tuple(value["totals"]), **pairs}
    return Windows(**{**value, **lists, "stage": Stage(value["stage"])})
