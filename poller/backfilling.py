"""A run that reads a list for the first time, in windows of created time.

Every page saves how far it has come. Killed, it goes on at the page; killed between the last page of a unit and its
end, at that end. A unit that will not be sealed ends the run, and what is sealed is kept for the next one.
"""

from __future__ import annotations

from functools import partial

import structlog

from common.domain.passages import Passage
from common.domain.runs import RunState
from common.domain.sources import Source
from common.domain.windows import Stage, Windows
from poller.walking import RunUnderWay

log = structlog.get_logger(__name__)


def backfill(run: RunUnderWay, source: Source, passage: Passage) -> RunState:
    """One slice of it. Raises what the source raises."""
    return _Backfilling(run, source, passage).make()


class _Backfilling:
    def __init__(self, run: RunUnderWay, source: Source, passage: Passage) -> None:
        self._run = run
        self._source = source
        self._passage = passage
        self._detector = run.parts.backfill

    def make(self) -> RunState:
        """Unit after unit, until all are sealed."""
        run = self._run
        run.progress = self._detector.resume(run.progress)
        while True:
            state = self._end_of_unit() if _windows(run).is_read else self._read_page()
            if state is not None:
                return state

    def _read_page(self) -> RunState | None:
        """None: go on."""
        run, now = self._run, self._run.parts.clock.now()
        run.check(run.progress.origin)
        asked = self._detector.begin(run.progress, now)
        page = self._passage.watch(partial(self._source.page, self._detector.query(run.resource, asked)))
        run.progress = self._detector.after_page(asked, page, now)
        run.save(page, asked, origin=asked.origin)
        if _windows(run).stage is Stage.DONE:
            return self._complete()
        # Totals tell something only together, so a slice does not end between them.
        is_over = run.is_over and not _windows(run).is_read and _windows(run).stage is not Stage.CHECK
        return run.continue_at(run.parts.clock.now(), "slice ended") if is_over else None

    def _end_of_unit(self) -> RunState | None:
        """Seal it, read it once more, or leave it."""
        run, progress = self._run, self._run.progress
        seen = run.parts.store.seen_in_scan(run.customer.customer_id, run.resource, progress.scan_id)
        if not self._detector.is_sealed(progress, seen):
            return self._again(seen)
        run.progress = self._detector.sealed(progress)
        if _windows(run).stage is Stage.DONE:
            return self._complete()
        return run.continue_at(run.parts.clock.now(), "slice ended") if run.is_over else None

    def _again(self, seen: int) -> RunState | None:
        run, progress = self._run, self._run.progress
        log.info("unit not sealed", action="run.unsealed", seen=seen, total=progress.total, unit=_windows(run).stage)
        again = self._detector.next_pass(progress)
        if again is None:
            return run.finish(RunState.UNSEALED, None, f"{_told(_windows(run))}; the next one would not be sealed")
        run.progress = again
        return None

    def _complete(self) -> RunState:
        run = self._run
        told = f"{_told(_windows(run))}, in {_windows(run).unit} units read" if _windows(run).sealed else ""
        return run.finish(RunState.COMPLETED, self._detector.position(run.progress), told)


def _windows(run: RunUnderWay) -> Windows:
    return run.progress.windows or Windows(began="")


def _told(windows: Windows) -> str:
    return f"{windows.sealed} windows of {windows.read} records are sealed"
