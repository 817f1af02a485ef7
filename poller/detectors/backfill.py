"""Backfill in windows of created time: the first reading of a long list, in small units that edits do not disturb.

A record keeps its created time, so an edit moves it out of no window. Windows go from the newest to the oldest, and
each is sealed by itself: every page gave the same total, and as many distinct records were seen. One that is not is
read again; what is sealed stays so. Their widths follow the list: the first page's total says whether one is too
large. Bounds overlap, for whether they are inclusive is not known; what two windows show is one record.

The last window is open at its lower end, for no guess at the oldest record is safe. What was created since the start
is read as a window that is open at its upper end. A record without a created time may be in none of them, so at the
end four totals must agree: all, those after the line, those up to it, and all again. If they do not, or the source
does not heed the filters, the list is read once without any; so is one that is short to begin with.

The candidate for the checkpoint is the source's clock at the first answer: an edit of what was already read is found
by the first poll.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from common.domain.checkpoints import Progress
from common.domain.sources import Page, PageQuery
from common.domain.windows import Stage, Windows

#: No record of an API is older; the window that would begin before is open.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
#: The first guess: a year's quarter holds some 250 of 5,000 records that came over five years.
FIRST_WIDTH_SECONDS = 90 * 86_400.0
#: With a second of overlap, a second is in two windows at most: many may have been created in one.
LEAST_WIDTH_SECONDS = 4.0
#: Wider than all there is.
MOST_WIDTH_SECONDS = 100 * 365 * 86_400.0
#: So far ahead nobody has created anything, whatever the clocks.
FAR = timedelta(days=400)
#: The answers that a probe and a check consist of.
PROBES, CHECKS = 2, 4


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """Decides what to read next; pure. A progress without windows is one that has just begun."""

    passes: int = 3
    #: Records that a window aims at: 20 pages of 15, which are read within half a minute of a usual budget.
    target: int = 300

    @property
    def most(self) -> int:
        """Records at which a window is too large: halved then, and not doubled next time."""
        return self.target * 3 // 2

    def resume(self, progress: Progress) -> Progress:
        """At the start of a slice: totals that a pause lies between say nothing together."""
        windows = progress.windows
        if windows is None or windows.stage is not Stage.CHECK:
            return progress
        return replace(progress, windows=replace(windows, totals=()))

    def begin(self, progress: Progress, now: datetime) -> Progress:
        """Before a page: the first one of a unit makes it a new reading."""
        if progress.next_page is not None:
            return progress
        windows = progress.windows or Windows(began=now.isoformat(), width=FIRST_WIDTH_SECONDS)
        windows = replace(windows, unit=windows.unit + 1)
        return replace(progress, total=None, moved=False, shown=0, windows=windows)

    def query(self, resource: str, progress: Progress) -> PageQuery:
        """The next request."""
        after, before = self._bounds(_windows(progress))
        return PageQuery(resource=resource, created_after=after, created_before=before, next_page=progress.next_page)

    def _bounds(self, windows: Windows) -> tuple[datetime | None, datetime | None]:
        """None: open."""
        line, asked = _instant(windows.line), len(windows.totals)
        if line is not None and windows.stage is Stage.PROBE:
            return ((line + FAR, None), (None, EARLIEST))[asked]
        if line is not None and windows.stage is Stage.CHECK:
            # A second apart: no record is counted twice, whether bounds are inclusive or not.
            return ((None, None), (line + SECOND, None), (None, line), (None, None))[asked]
        if windows.stage is Stage.NEW:
            return line, None
        return _instant(windows.since), _instant(windows.until)

    def after_page(self, progress: Progress, page: Page, now: datetime) -> Progress:
        """What to remember once the page is saved."""
        windows = _windows(progress)
        if windows.unit == 1 and progress.shown == 0:
            progress = self._after_first(progress, windows, page, now)
            windows = _windows(progress)
            if windows.stage is Stage.PROBE:
                return progress
        if windows.stage in (Stage.PROBE, Stage.CHECK):
            return self._after_total(progress, windows, page)
        is_first = progress.total is None and progress.shown == 0
        if windows.stage is Stage.WINDOWS and is_first and self._is_too_large(windows, page.total):
            smaller = self._smaller(windows, page.total or 0)
            return replace(progress, next_page=None, failures=0, outages=0, windows=self._placed(smaller))
        return self._read(progress, windows, page, now)

    def _after_first(self, progress: Progress, windows: Windows, page: Page, now: datetime) -> Progress:
        """It is the first page of the whole list: of a short one, the reading goes on behind it."""
        expected, line = page.total or page.item_count, (page.answered_at or now).replace(microsecond=0) - 2 * SECOND
        windows = replace(windows, candidate=_text(_candidate(page, now)), expected=expected)
        if page.next_page is None or expected <= self.target:
            return replace(progress, windows=windows)
        windows = replace(windows, stage=Stage.PROBE, line=_text(line))
        return replace(progress, failures=0, outages=0, windows=windows)

    def _after_total(self, progress: Progress, windows: Windows, page: Page) -> Progress:
        """Of a probe or a check, only the total counts."""
        windows = replace(windows, totals=(*windows.totals, page.total))
        progress = replace(progress, next_page=None, failures=0, outages=0, windows=windows)
        if windows.stage is Stage.PROBE and len(windows.totals) == PROBES:
            return replace(progress, windows=self._probed(windows))
        is_checked = windows.stage is Stage.CHECK and len(windows.totals) == CHECKS
        return self._checked(progress, windows) if is_checked else progress

    def _probed(self, windows: Windows) -> Windows:
        """Where a filter shows everybody, it is not heeded."""
        if any(total is None or total >= windows.expected for total in windows.totals):
            return replace(windows, stage=Stage.WHOLE, totals=())
        return self._placed(replace(windows, stage=Stage.WINDOWS, totals=()))

    def _checked(self, progress: Progress, windows: Windows) -> Progress:
        """All must be those before the line and those after it. One that came or went meanwhile: ask again."""
        before, newer, older, after = windows.totals
        windows = replace(windows, totals=())
        if None in (before, newer, older) or before != after:
            again = progress.scan_pass < self.passes and before is not None
            if again:
                return replace(progress, scan_pass=progress.scan_pass + 1, windows=windows)
            return replace(progress, scan_pass=1, windows=replace(windows, stage=Stage.WHOLE))
        is_whole = (before or 0) == (newer or 0) + (older or 0)
        stage = Stage.DONE if is_whole else Stage.WHOLE
        return replace(progress, scan_pass=1, windows=replace(windows, stage=stage))

    def _is_too_large(self, windows: Windows, total: int | None) -> bool:
        if total is None or total <= self.most:
            return False
        until = _instant(windows.until) or EARLIEST
        is_least = windows.since is not None and _seconds(windows.since, windows.until) <= LEAST_WIDTH_SECONDS
        return not is_least and (until - EARLIEST).total_seconds() > 2 * LEAST_WIDTH_SECONDS

    def _smaller(self, windows: Windows, total: int) -> Windows:
        """By as much as it is too large, and by twice as much each time in a row: a day's import is found soon."""
        if windows.since is None:
            room = ((_instant(windows.until) or EARLIEST) - EARLIEST).total_seconds() / 2
            return replace(windows, width=_width(min(windows.width, room)), expected=windows.read + total)
        halvings = max(1, math.ceil(math.log2(total / self.target))) + windows.rejected
        width = min(windows.width, _seconds(windows.since, windows.until)) / 2**halvings
        stops = (*windows.stops, (windows.since, total))
        return replace(windows, width=_width(width), stops=stops, rejected=windows.rejected + 1)

    def _placed(self, windows: Windows) -> Windows:
        """The next window downwards. With few records left, or no time, it is the one that is open."""
        windows = replace(windows, stops=tuple(stop for stop in windows.stops if stop[0] != windows.edge))
        edge, line = _instant(windows.edge), _instant(windows.line) or EARLIEST
        until = line + 2 * SECOND if edge is None else edge + SECOND
        left, room = windows.expected - windows.read, (until - EARLIEST).total_seconds()
        is_last = left <= self.most or room <= windows.width
        since = None if is_last else until - timedelta(seconds=windows.width)
        if windows.stops:
            since = self._before_stop(windows, until)
        return replace(windows, since=_text(since), until=_text(until))

    def _before_stop(self, windows: Windows, until: datetime) -> datetime:
        """Down to where a larger window began: all of it if few are left there, else half of it at the most."""
        text, left = windows.stops[-1]
        stop = datetime.fromisoformat(text)
        room = (until - stop).total_seconds()
        if left <= self.most or room <= LEAST_WIDTH_SECONDS:
            return stop
        return max(stop, until - timedelta(seconds=_width(min(windows.width, room / 2))))

    def _read(self, progress: Progress, windows: Windows, page: Page, now: datetime) -> Progress:
        total = page.total if progress.total is None else progress.total
        shown = progress.shown + page.item_count
        is_endless = page.next_page is not None and (not page.item_count or shown > (total or 0))
        following = None if is_endless else page.next_page
        windows = replace(windows, is_read=following is None).marked(windows.read_with(shown), now)
        return replace(
            progress,
            next_page=following,
            total=total,
            moved=progress.moved or is_endless or page.total is None or page.total != total,
            shown=shown,
            failures=0,
            outages=0,
            windows=windows,
        )

    def is_sealed(self, progress: Progress, seen: int) -> bool:
        """`seen`: distinct records of this reading."""
        return not progress.moved and progress.total is not None and seen >= progress.total

    def sealed(self, progress: Progress) -> Progress:
        """On to the next unit; the stage says when there is none."""
        windows = replace(_windows(progress), is_read=False)
        if windows.stage is Stage.WINDOWS:
            windows = self._after_window(windows, progress.total or 0)
        else:
            windows = replace(windows, stage=Stage.CHECK if windows.stage is Stage.NEW else Stage.DONE)
        return replace(progress, scan_pass=1, next_page=None, windows=windows)

    def _after_window(self, windows: Windows, records: int) -> Windows:
        stops = tuple((stop, max(0, left - records)) for stop, left in windows.stops)
        windows = replace(windows, read=windows.read + records, sealed=windows.sealed + 1, rejected=0, stops=stops)
        if windows.since is None:
            return replace(windows, stage=Stage.NEW, edge=None, since=None, until=None)
        empty = windows.empty + 1 if not records else 0
        # Over a gap of years, ever longer steps.
        growth = 8**empty if empty else 2 if records < self.target / 2 else 1
        width = _width(windows.width * growth)
        return self._placed(replace(windows, edge=windows.since, width=width, empty=empty))

    def next_pass(self, progress: Progress) -> Progress | None:
        """The unit once more, or None when it has been read often enough."""
        if progress.scan_pass >= self.passes:
            return None
        windows = replace(_windows(progress), is_read=False)
        return replace(progress, scan_pass=progress.scan_pass + 1, next_page=None, windows=windows)

    def kept(self, progress: Progress) -> Windows | None:
        """What the next run need not read again; None: it begins anew."""
        windows = progress.windows
        return replace(windows, is_read=False, totals=(), marks=()) if windows and windows.sealed else None

    def position(self, progress: Progress) -> datetime | None:
        """Where the checkpoint may move to once all is done."""
        return _instant(_windows(progress).candidate)


def _windows(progress: Progress) -> Windows:
    assert progress.windows is not None  # noqa: S101 - `begin` has made them
    return progress.windows


def _candidate(page: Page, now: datetime) -> datetime | None:
    """A source that tells no clock has at least shown a time that it has reached."""
    if page.answered_at is not None:
        return page.answered_at
    return max((record.updated_at for record in page.records if record.updated_at <= now), default=None)


def _seconds(since: str | None, until: str | None) -> float:
    """Of a window; nothing if it is open."""
    low, high = _instant(since), _instant(until)
    return 0.0 if low is None or high is None else (high - low).total_seconds()


def _width(seconds: float) -> float:
    return float(math.floor(min(max(seconds, LEAST_WIDTH_SECONDS), MOST_WIDTH_SECONDS)))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
