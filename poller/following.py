"""A run over what tells its changes since a cursor: these, or everything first where there is no cursor to begin with.

Each page is one transaction, and the last one moves the cursor. Killed anywhere, it goes on with the page that it was
at; between the present cursor and the first page of the scan that follows it, it asks for another.

Reconciliation has a cursor of its own, a day old, and reads by it what the polls have read: once a day, the last day
again. Its first run has none, and so reads everything. It takes no other bound.
"""

from __future__ import annotations

from functools import partial

import structlog

from common.domain.checkpoints import Checkpoint
from common.domain.errors import CursorExpired
from common.domain.passages import Passage
from common.domain.runs import RunState
from common.domain.sources import Page, PageQuery, Source
from poller.detectors.cursor import Cursor
from poller.scanning import scan_all
from poller.walking import RunUnderWay

log = structlog.get_logger(__name__)


def follow(run: RunUnderWay, checkpoint: Checkpoint, source: Source, passage: Passage) -> RunState:
    """One slice of it. Raises what the source raises, but for CursorExpired."""
    return _Following(run, checkpoint, source, passage).make()


class _Following:
    def __init__(self, run: RunUnderWay, checkpoint: Checkpoint, source: Source, passage: Passage) -> None:
        self._run = run
        self._checkpoint = checkpoint
        self._source = source
        self._passage = passage
        self._cursor: Cursor = run.parts.cursor
        #: What the snapshot of this slice has to say.
        self._told = ""

    def make(self) -> RunState:
        """To the end of the changes, however often it has to begin anew."""
        self._run.progress = self._cursor.begin(self._run.progress, self._checkpoint.cursor)
        while True:
            try:
                return self._read_on()
            except CursorExpired as error:
                state = self._after_expiry(error)
                if state is not None:
                    return state

    def _read_on(self) -> RunState:
        run = self._run
        if not run.progress.cursor:
            run.progress = self._cursor.snapshot(run.progress, self._asked(self._cursor.present(run.resource)))
        if run.progress.whole:
            return scan_all(run, self._source, self._passage, after=self._after_snapshot)
        return self._read_changes()

    def _after_snapshot(self, told: str) -> RunState:
        self._told = told
        self._run.progress = self._cursor.after_snapshot(self._run.progress)
        return self._read_changes()

    def _read_changes(self) -> RunState:
        run = self._run
        while True:
            run.check(run.progress.origin)
            page = self._asked(self._cursor.query(run.resource, run.progress))
            scanned, after = run.progress, self._cursor.after_page(run.progress, page)
            run.progress = after
            run.save(page, scanned, origin=scanned.origin)
            if page.next_page is None:
                return self._finish()
            if run.is_over:
                return run.continue_at(run.parts.clock.now(), "slice ended")

    def _finish(self) -> RunState:
        """A run with a bound of its own leaves the checkpoint's time alone."""
        now = self._run.parts.clock.now() if self._run.progress.since is None else None
        return self._run.finish(RunState.COMPLETED, now, self._told)

    def _asked(self, query: PageQuery) -> Page:
        return self._passage.watch(partial(self._source.page, query))

    def _after_expiry(self, error: CursorExpired) -> RunState | None:
        """None: go on."""
        run, again = self._run, self._cursor.after_expiry(self._run.progress)
        log.warning("cursor expired", action="run.cursor_expired", resource=run.resource, why=str(error))
        if again is None:
            often = f"{self._cursor.expiries} cursors expired before all was read; the next run begins anew"
            return run.finish(RunState.UNSEALED, None, f"{often}: {error}")
        run.progress = again
        return None
