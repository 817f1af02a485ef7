"""A run over what is read scope by scope: plan, read the most urgent scope, note what it has come to, and so on.

What is urgent: roots and whatever the source wants soon are overdue when they are planned and go first, by the time at
which they became due; history (the past of an account that is new) goes behind them, but for a fifth of the turns. A
walk that takes long reads again what has become due meanwhile.

All layers walk alike, over what is due. Reconciliation has nothing to add: each reading compares a whole list already,
at least once a day where a bound is used in between, and no list is compared by time alone.

A scope of one page, as most are, ends in the transaction of that page. Killed between the last of several pages and the
end of their scope, a run reads that scope again, in the same pass: what either reading has shown counts as seen, so
nothing is taken for gone that was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from common.domain.checkpoints import Progress
from common.domain.customers import Customer
from common.domain.errors import PageUnreadable, PermanentError, SyncError
from common.domain.fuse import Fuse
from common.domain.passages import Passage
from common.domain.runs import RunCounts, RunState
from common.domain.sources import Page, ResourceTerms, Source
from common.domain.stores import DueAt, ScopeEnd, ScopeToRead
from poller.run_parts import RunParts
from poller.skipped import note_skipped, told

log = structlog.get_logger(__name__)

#: Answers in a row that are none before a scope is left for a while ...
FAILURES_BEFORE_SKIPPING = 3
#: ... of this length.
SKIPPED = timedelta(hours=1)
#: So often history goes before everything else: what is near comes first, but an account whose near dates take all of
#: its budget must still come to an end with its past.
HISTORY_SHARE = 0.2
#: No scope is read twice within so much of one walk: a walk must end.
ROUND = timedelta(minutes=15)


class RunUnderWay(Protocol):
    """The part of a run that a walk uses."""

    parts: RunParts
    customer: Customer
    resource: str
    progress: Progress

    @property
    def is_over(self) -> bool: ...

    def check(self, origin: str) -> None: ...

    def save(
        self, page: Page, scanned: Progress, *, origin: str, scope: str = ..., end: ScopeEnd | None = ...
    ) -> None: ...

    @property
    def fuse(self) -> Fuse: ...

    def tell(self, counts: RunCounts) -> None: ...

    def continue_at(self, moment: datetime, why: str) -> RunState: ...

    def finish(self, state: RunState, position: datetime | None, error: str) -> RunState: ...


def walk(run: RunUnderWay, source: Source, passage: Passage) -> RunState:
    """One slice of it. Raises what the source raises."""
    return _Walking(run).make(source, passage)


class _Walking:
    def __init__(self, run: RunUnderWay) -> None:
        self._run = run

    def make(self, source: Source, passage: Passage) -> RunState:
        """Every scope that is due, the most urgent first, until none is."""
        terms, due_at = source.terms[self._run.resource], self._due_at(source)
        customer_id, store = self._run.customer.customer_id, self._run.parts.store
        store.plan_scopes(customer_id, self._run.resource, terms, due_at, self._run.parts.clock.now())
        while True:
            found = self._next_scope(terms)
            if found is None:
                return self._run.finish(RunState.COMPLETED, self._position(terms), told(self._run.progress))
            self._read_or_skip(source, passage, terms, found, due_at)
            if self._run.is_over:
                return self._run.continue_at(self._run.parts.clock.now(), "slice ended")

    def _due_at(self, source: Source) -> DueAt:
        def due_at(scope: str, parent: Mapping[str, Any], read_at: datetime | None, now: datetime) -> datetime | None:
            return source.due_at(self._run.resource, scope, parent, read_at=read_at, now=now)

        return due_at

    def _walk_began(self, now: datetime) -> datetime:
        """Of a long walk, its last round: what is due every few minutes must not wait for a backfill of hours."""
        text = self._run.progress.walk_began
        began = datetime.fromisoformat(text) if text else now
        return began if now - began < ROUND else now

    def _position(self, terms: ResourceTerms) -> datetime | None:
        """None while what it is read by is being read for the first time itself: scopes are still to come, and belong
        to this backfill, with its share and its hours.
        """
        is_whole = set(terms.parents) <= set(self._run.parts.sizes.listed(self._run.customer.customer_id))
        return self._walk_began(self._run.parts.clock.now()) if is_whole else None

    def _next_scope(self, terms: ResourceTerms) -> ScopeToRead | None:
        """The one that is under way, else the most urgent that is due."""
        now, store, progress = self._run.parts.clock.now(), self._run.parts.store, self._run.progress
        if progress.scope is not None:
            return store.scope(self._run.customer.customer_id, self._run.resource, terms, progress.scope)
        began = self._walk_began(now)
        found = store.next_scope(
            self._run.customer.customer_id,
            self._run.resource,
            terms,
            now,
            read_before=began,
            history_first=self._run.parts.random_unit() >= 1 - HISTORY_SHARE,
        )
        self._run.progress = replace(progress, walk_began=began.isoformat())
        if found is not None:
            self._run.progress = self._run.parts.walk.begin(self._run.progress, found)
        return found

    def _read_or_skip(
        self, source: Source, passage: Passage, terms: ResourceTerms, found: ScopeToRead, due_at: DueAt
    ) -> None:
        """Or leave the scope for an hour. What one of them answers must not keep all others from being read; what a
        root answers is the run's to fail by.
        """
        try:
            self._read_scope(source, passage, terms, found, due_at)
        except PageUnreadable as error:
            if self._run.progress.failures + 1 < FAILURES_BEFORE_SKIPPING:
                raise
            self._skip(terms, found, error)
        except PermanentError as error:
            if found.scope in terms.roots:
                raise
            self._skip(terms, found, error)

    def _skip(self, terms: ResourceTerms, found: ScopeToRead, error: SyncError) -> None:
        log.error("scope skipped", action="walk.scope_skipped", scope=found.scope, error=str(error))
        progress, now = note_skipped(self._run.progress, found.scope, error), self._run.parts.clock.now()
        self._run.progress = replace(self._run.parts.walk.after_scope(progress), failures=0)
        end = self._end(found, terms, progress, now=now, due_at=now + SKIPPED, is_evidence=False)
        self._run.parts.store.end_scope(end, self._run.progress)

    def _read_scope(
        self, source: Source, passage: Passage, terms: ResourceTerms, found: ScopeToRead, due_at: DueAt
    ) -> None:
        walk, now = self._run.parts.walk, self._run.parts.clock.now()
        origin = walk.origin(self._run.progress, found)
        self._run.check(origin)
        query = walk.query(self._run.resource, terms, self._run.progress, found, now)
        page = passage.watch(partial(source.page, query))
        scanned, self._run.progress = self._run.progress, walk.after_page(self._run.progress, page)
        if page.next_page is not None:
            self._run.save(page, scanned, origin=origin, scope=found.scope)
            return
        if query.next_page is None:
            end = self._come_to_end(page, terms, found, due_at, seen=_shown(page, self._run.resource, terms))
            self._run.save(page, scanned, origin=origin, scope=found.scope, end=end)
            return
        self._run.save(page, scanned, origin=origin, scope=found.scope)
        self._end_scope(page, terms, found, due_at)

    def _end_scope(self, page: Page, terms: ResourceTerms, found: ScopeToRead, due_at: DueAt) -> None:
        """Of several pages: what they have shown is in the mirror."""
        store, scan_id = self._run.parts.store, self._run.progress.scan_id
        own = (self._run.resource, *terms.also)
        seen = sum(store.seen_in_scan(self._run.customer.customer_id, each, scan_id) for each in own)
        end = self._come_to_end(page, terms, found, due_at, seen=seen)
        if end is not None:
            self._run.tell(store.end_scope(end, self._run.progress))

    def _come_to_end(
        self, page: Page, terms: ResourceTerms, found: ScopeToRead, due_at: DueAt, *, seen: int
    ) -> ScopeEnd | None:
        """Take it for evidence, or leave it; None: read it once more. Sets the progress, and saves nothing."""
        walk, progress, now = self._run.parts.walk, self._run.progress, self._run.parts.clock.now()
        is_sealed = page.is_gone or walk.is_sealed(progress, seen)
        again = None if is_sealed else walk.next_pass(progress)
        if again is not None:
            self._run.progress = again
            return None
        self._run.progress = walk.after_scope(progress)
        # What is gone is not asked for again until its parent says otherwise; nor is what has no parent yet, for that
        # says how often: an answer may show a scope before its parent is listed. A root has nobody to speak for it.
        is_regular = found.scope in terms.roots or (bool(found.parent) and not page.is_gone)
        later = due_at(found.scope, found.parent, now, now) if is_regular else None
        is_evidence = is_sealed and page.shows_all and not page.is_gone
        return self._end(found, terms, progress, now=now, due_at=later, is_evidence=is_evidence)

    def _end(
        self,
        found: ScopeToRead,
        terms: ResourceTerms,
        progress: Progress,
        *,
        now: datetime,
        due_at: datetime | None,
        is_evidence: bool,
    ) -> ScopeEnd:
        return ScopeEnd(
            customer_id=self._run.customer.customer_id,
            resource=self._run.resource,
            run_id=progress.run_id,
            trace_id=progress.trace_id,
            origin=self._run.parts.walk.origin(progress, found),
            scope=found.scope,
            scan_id=progress.scan_id,
            due_at=due_at,
            is_evidence=is_evidence,
            evidence_before=now - self._run.parts.walk.absence,
            now=now,
            also=terms.also,
            fuse=self._run.fuse,
        )


def _shown(page: Page, resource: str, terms: ResourceTerms) -> int:
    """Distinct records of one page, as the mirror would count them."""
    ids = {(each.resource, each.source_id) for each in page.records}
    ids |= {(each.resource, each.source_id) for each in page.broken}
    return sum(name in (resource, *terms.also) for name, _ in ids)
