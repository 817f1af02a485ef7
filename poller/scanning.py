"""A run that reads all there is of a resource, and finds out what is gone.

First the pages, to a sealed end; then, in one transaction, an absence for each record that was not shown; then those
are looked for by their ids, as many as may be. Killed in between, it goes on where it was; killed between the last page
of a pass and its end, it reads the pass again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeAlias

import structlog

from common.domain.errors import PageUnreadable, PermanentError
from common.domain.passages import Passage
from common.domain.runs import RunState
from common.domain.sources import WHOLE, Page, PageQuery, ResourceTerms, Source
from common.domain.stores import ScopeEnd
from poller.walking import RunUnderWay

log = structlog.get_logger(__name__)


#: What follows a sealed scan; it gets what there is to say of it.
After: TypeAlias = Callable[[str], RunState]


def scan_all(run: RunUnderWay, source: Source, passage: Passage, *, after: After | None = None) -> RunState:
    """One slice of it. Raises what the source raises. `after`: what the run does then; None: it ends."""
    return _Scanning(run, source, passage, after or partial(run.finish, RunState.COMPLETED, None)).make()


class _Scanning:
    def __init__(self, run: RunUnderWay, source: Source, passage: Passage, after: After) -> None:
        self._run = run
        self._source = source
        self._passage = passage
        self._full = run.parts.full
        self._after = after

    def make(self) -> RunState:
        """Pass after pass until one is sealed, then the looks."""
        while self._run.progress.looked is None:
            state = self._read_page()
            if state is not None:
                return state
        return self._look_for_all(self._source.terms[self._run.resource])

    def _read_page(self) -> RunState | None:
        """None: go on."""
        run = self._run
        run.check(run.progress.origin)
        if run.progress.next_page is None:
            run.progress = self._full.begin(run.progress, run.parts.clock.now())
        page = self._passage.watch(partial(self._source.page, self._full.query(run.resource, run.progress)))
        scanned, run.progress = run.progress, self._full.after_page(run.progress, page)
        run.save(page, scanned, origin=scanned.origin)
        state = self._end_of_pass() if run.progress.next_page is None else None
        return state or self._pause()

    def _pause(self) -> RunState | None:
        return self._run.continue_at(self._run.parts.clock.now(), "slice ended") if self._run.is_over else None

    def _end_of_pass(self) -> RunState | None:
        """Count what is missing, read it once more, or leave it."""
        run, progress = self._run, self._run.progress
        seen = run.parts.store.seen_in_full_scan(run.customer.customer_id, run.resource, progress.scan_id)
        if not self._full.is_sealed(progress, seen):
            return self._again(seen)
        why = self._full.why_no_evidence(progress)
        if why:
            log.warning("full scan is no evidence", action="run.no_evidence", why=why)
            return self._after(why)
        run.progress = self._full.sealed(progress)
        run.tell(run.parts.store.end_scope(self._end(progress.scan_id), run.progress))
        return None

    def _again(self, seen: int) -> RunState | None:
        run, progress = self._run, self._run.progress
        log.info("full scan not sealed", action="run.unsealed", seen=seen, shown=progress.shown, total=progress.total)
        again = self._full.next_pass(progress)
        if again is None:
            told = f"the list said {progress.total} records, and showed {progress.shown} items, {seen} of them distinct"
            return run.finish(RunState.UNSEALED, None, f"nothing counts as gone: {told}")
        run.progress = again
        return None

    def _look_for_all(self, terms: ResourceTerms) -> RunState:
        run = self._run
        while terms.one and run.progress.looks < self._full.looks:
            customer_id, after = run.customer.customer_id, run.progress.looked or ""
            suspect = run.parts.store.next_suspect(customer_id, run.resource, after=after)
            if suspect is None:
                break
            self._look_for(terms, suspect)
            state = self._pause()
            if state is not None:
                return state
        return self._after("")

    def _look_for(self, terms: ResourceTerms, suspect: str) -> None:
        run = self._run
        query = PageQuery(resource=run.resource, scope=f"{terms.one}/{suspect}")
        page = self._asked(query, suspect)
        run.progress = self._full.after_look(run.progress, suspect)
        if page is not None:
            end = self._end(run.progress.scan_id, is_evidence=page.is_gone)
            run.tell(run.parts.store.end_look(end, suspect, run.progress))

    def _asked(self, query: PageQuery, suspect: str) -> Page | None:
        """None: the answer is none, and so no evidence."""
        try:
            return self._passage.watch(partial(self._source.page, query))
        except (PageUnreadable, PermanentError) as error:
            log.warning("look without an answer", action="run.look_failed", source_id=suspect, error=str(error))
            return None

    def _end(self, scan_id: str, *, is_evidence: bool = True) -> ScopeEnd:
        run, now = self._run, self._run.parts.clock.now()
        progress = run.progress
        return ScopeEnd(
            customer_id=run.customer.customer_id,
            resource=run.resource,
            run_id=progress.run_id,
            trace_id=progress.trace_id,
            origin=progress.origin,
            scope=WHOLE,
            scan_id=scan_id,
            due_at=None,
            is_evidence=is_evidence,
            evidence_before=now - self._full.absence,
            now=now,
            full_since=datetime.fromisoformat(progress.walk_began or now.isoformat()),
            fuse=run.fuse,
        )
