"""A full scan: every page, without a bound, of a list that is otherwise read by its time of change. It shows what is
gone.

An upper bound, as the incremental scan takes, would not do here: what is edited meanwhile leaves the bounded set, and
would look gone. So the scan is evidence only if nothing in it speaks against it: every page gave the same total, and
as many items were shown, all distinct, as that total says. A list that is cut short, repeats itself, lies in its total
or moves is read once more, and then left. One that is empty says nothing at all: that is what an account looks like
whose rights were taken away.

What such a scan does not show may still have been hidden, where one record went and another came while it was read: a
record is gone only if it is not there by its id either, or if two full scans have not shown it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.domain.checkpoints import Progress
from common.domain.sources import Page, PageQuery


@dataclass(frozen=True, kw_only=True)
class Full:
    """Decides what to read next; pure."""

    passes: int = 3
    #: The least time between two scans that count as evidence.
    absence: timedelta = timedelta(minutes=5)
    #: Records that one run looks for by their ids, a request each. Where more are missing, a fuse is near, and the
    #: next scan tells for nothing.
    looks: int = 50

    def begin(self, progress: Progress, now: datetime) -> Progress:
        """The first page of a pass."""
        return replace(progress, walk_began=now.isoformat(), total=None, moved=False, shown=0, blind=False)

    def query(self, resource: str, progress: Progress) -> PageQuery:
        """The next request of the scan."""
        return PageQuery(resource=resource, next_page=progress.next_page)

    def after_page(self, progress: Progress, page: Page) -> Progress:
        """What to remember once the page is saved. A list that would never end is ended."""
        total = page.total if progress.total is None else progress.total
        shown = progress.shown + page.item_count
        is_endless = page.next_page is not None and (not page.item_count or shown > (total or 0))
        return replace(
            progress,
            next_page=None if is_endless else page.next_page,
            total=total,
            moved=progress.moved or is_endless or page.total is None or page.total != total,
            shown=shown,
            blind=progress.blind or any(not broken.is_identified for broken in page.broken),
            failures=0,
            outages=0,
        )

    def is_sealed(self, progress: Progress, seen: int) -> bool:
        """`seen`: distinct records of this pass."""
        return not progress.moved and progress.total is not None and seen == progress.shown == progress.total

    def why_no_evidence(self, progress: Progress) -> str:
        """Of a scan that is sealed, and tells nothing of what is gone; empty: it does."""
        if not progress.total:
            return "the list was empty, which is no evidence that everything is gone"
        return "an item without an id may be any record, so that none counts as absent" if progress.blind else ""

    def next_pass(self, progress: Progress) -> Progress | None:
        """Read it once more, or None when that has been done often enough."""
        return None if progress.scan_pass >= self.passes else replace(progress, scan_pass=progress.scan_pass + 1)

    def sealed(self, progress: Progress) -> Progress:
        """From here on, what is missing is looked for by its id."""
        return replace(progress, next_page=None, looked="", looks=0)

    def after_look(self, progress: Progress, source_id: str) -> Progress:
        """What to remember of it, whatever it has come to."""
        return replace(progress, looked=source_id, looks=progress.looks + 1, failures=0, outages=0)
