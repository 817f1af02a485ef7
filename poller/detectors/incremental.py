"""Modification-time detection: what has `updated_at` on or after the checkpoint, minus an overlap.

A list that is paged while its records change can hide one: a rename or a deletion moves the others up a page, and
the one
that crosses the boundary is never shown. So a scan counts as sealed, and may move the checkpoint, only if it can have
hidden nothing:

- one page: it is one answer, and an answer does not move;
- more pages: they are read again under an upper bound taken from the source's own clock. A set bounded on both sides
can
  only shrink (what is edited leaves it upwards, what is deleted is gone). If every page gives the same `meta.total`, it
  did not shrink; if as many distinct records were seen as that total says, none was hidden, truncated or repeated away.

An unsealed pass is made again; after `passes` of them the checkpoint stays where it is, and the next poll starts there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from common.domain.checkpoints import Checkpoint, Progress
from common.domain.sources import Page, PageQuery

#: Sources stamp in whole seconds, and tell their clock in whole seconds.
PRESENT_SECOND = timedelta(seconds=1)


#: No record of an API is older; a stamp of the year 1 must not make the arithmetic fail.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Incremental:
    """Decides what to read next; pure."""

    overlap: timedelta
    passes: int

    def query(self, resource: str, checkpoint: Checkpoint, progress: Progress) -> PageQuery:
        """The next request of the scan."""
        after = max(checkpoint.position, EARLIEST + self.overlap) - self.overlap if checkpoint.position else None
        before = datetime.fromisoformat(progress.before) if progress.before else None
        return PageQuery(resource=resource, updated_after=after, updated_before=before, next_page=progress.next_page)

    def after_page(self, progress: Progress, page: Page, now: datetime, *, is_bounded: bool = True) -> Progress:
        """What to remember once the page is saved. `is_bounded`: the source takes an upper bound for this list.

        Where it takes none, a set that grows while it is paged shows in its total, and is paged once more.
        """
        if is_bounded and progress.before is None and page.next_page is not None:
            # What this page showed is saved, but may lie above the bound: it must not move the checkpoint.
            # A second that is over: into the present one, records may still come while it is being paged.
            bound = (page.answered_at or now) - PRESENT_SECOND
            return replace(progress, before=bound.isoformat(), next_page=None, failures=0)
        # A stamp from the future must not carry the checkpoint past changes that are still to come.
        latest = page.answered_at or now
        times = [record.updated_at for record in page.records if record.updated_at <= latest]
        highest = max(times + ([datetime.fromisoformat(progress.highest)] if progress.highest else []), default=None)
        total = page.total if progress.total is None else progress.total
        return replace(
            progress,
            highest=highest.isoformat() if highest else None,
            next_page=page.next_page,
            total=total,
            moved=progress.moved or page.total != total,
            failures=0,
        )

    def needs_another_page(self, progress: Progress, page: Page) -> bool:
        """Also true when the scan has just been given its upper bound, and starts anew."""
        return progress.next_page is not None or page.next_page is not None

    def is_sealed(self, progress: Progress, seen: int) -> bool:
        """`seen`: distinct records of this pass."""
        return not progress.moved and progress.total is not None and seen >= progress.total

    def next_pass(self, progress: Progress) -> Progress | None:
        """The next pass of an unsealed scan, or None when there have been enough."""
        if progress.scan_pass >= self.passes:
            return None
        # The bound stays: what has left the set since then will be found above it, by the next poll.
        return replace(progress, scan_pass=progress.scan_pass + 1, next_page=None, total=None, moved=False)

    def position(self, progress: Progress) -> datetime | None:
        """Where the checkpoint may move to: the highest time seen, never our own clock."""
        return datetime.fromisoformat(progress.highest) if progress.highest else None
