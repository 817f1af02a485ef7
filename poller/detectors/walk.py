"""Scope by scope: one list, or one answer, at a time, whenever it is due.

A reading of a scope is sealed like any scan: every page gave the same total, and as many distinct records were seen. A
sealed reading that shows everything is evidence of what is not there any more; a record is gone when two of them have
not shown it. A short, repeated, truncated or failing answer is none, and neither is an answer that may not tell all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.domain.checkpoints import Progress
from common.domain.events import Origin
from common.domain.sources import Page, PageQuery, ResourceTerms
from common.domain.stores import ScopeToRead

#: A scope that can be read from a lower bound is read whole this often: only that shows what is gone.
WHOLE_EVERY = timedelta(days=1)
#: How far below our last reading the bound lies: clocks differ, and a source may show a change late.
LATE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Decides what to read next within a scope; pure."""

    passes: int
    #: The least time between two readings that count as evidence.
    absence: timedelta

    def query(
        self, resource: str, terms: ResourceTerms, progress: Progress, found: ScopeToRead, now: datetime
    ) -> PageQuery:
        """The next request of the reading."""
        return PageQuery(
            resource=resource,
            scope=found.scope,
            parent=found.parent,
            updated_after=self._since(found, now) if terms.takes_since else None,
            next_page=progress.next_page,
        )

    @staticmethod
    def _since(found: ScopeToRead, now: datetime) -> datetime | None:
        """None: read it whole."""
        if found.read_at is None or found.whole_at is None or now - found.whole_at >= WHOLE_EVERY:
            return None
        return found.read_at - LATE

    def begin(self, progress: Progress, found: ScopeToRead) -> Progress:
        """The first pass over a scope."""
        return replace(progress, scope=found.scope, scan_pass=1, next_page=None, total=None, moved=False)

    def after_page(self, progress: Progress, page: Page) -> Progress:
        """What to remember once the page is saved. A page without a total leaves the pass without one."""
        total = page.total if progress.total is None else progress.total
        moved = progress.moved or page.total is None or page.total != total
        return replace(progress, next_page=page.next_page, total=total, moved=moved, failures=0, outages=0)

    def is_sealed(self, progress: Progress, seen: int) -> bool:
        """`seen`: distinct records of this pass."""
        return not progress.moved and progress.total is not None and seen >= progress.total

    def next_pass(self, progress: Progress) -> Progress | None:
        """Read it once more, or None when that has been done often enough: then it is left without evidence."""
        if progress.scan_pass >= self.passes:
            return None
        return replace(progress, scan_pass=progress.scan_pass + 1, next_page=None, total=None, moved=False)

    def after_scope(self, progress: Progress) -> Progress:
        """Nothing of the scope is left to do."""
        return replace(progress, scope=None, scan_pass=1, next_page=None, total=None, moved=False)

    @staticmethod
    def origin(progress: Progress, found: ScopeToRead) -> str:
        """Of what a first walk reads for the first time: a backfill's; of everything else: what the layer says."""
        is_first = progress.origin == Origin.BACKFILL and found.read_at is None
        return progress.origin if is_first or progress.origin != Origin.BACKFILL else Origin.POLL
