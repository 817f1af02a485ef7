"""Changes since a cursor: the source itself keeps count, and says what has changed, and what was deleted, since then.

The cursor is the source's own word, and means nothing to us. It moves in the transaction of the last page of changes,
so that it is never ahead of what is saved; what is told twice, or by pages that overlap, is as it was the second time.

The first time there is none, and later the source may have forgotten it. Then the cursor of now is taken **first**, and
everything is read after that, by a full scan with the full scan's rules for what is gone; at last the changes since
that cursor. What changes while the scan goes on, even where it has been already, is among these. A scan that is not
sealed may have hidden something that will never change again, so that no cursor follows from it.

A source whose cursors live shorter than a full scan takes is one that is read by full scans: after so many expiries a
run ends unsealed, with all that it has read, and the next one begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.domain.checkpoints import Progress
from common.domain.errors import PageUnreadable
from common.domain.sources import PRESENT, Gone, Page, PageQuery

#: A cursor that is worth nothing: a present one is to be taken.
NONE = ""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """Decides what to read next; pure."""

    #: Cursors that one run may see expire.
    expiries: int = 3

    def begin(self, progress: Progress, saved: str) -> Progress:
        """`saved`: the checkpoint's. A run that goes on keeps its own."""
        return progress if progress.cursor is not None else replace(progress, cursor=saved)

    def present(self, resource: str) -> PageQuery:
        """Asks for the cursor of now."""
        return PageQuery(resource=resource, cursor=PRESENT)

    def snapshot(self, progress: Progress, page: Page) -> Progress:
        """A full scan is to begin: changes since `page.cursor` follow it. Raises PageUnreadable."""
        return replace(self._anew(progress), cursor=cursor_of(page), whole=True, failures=0, outages=0)

    def after_snapshot(self, progress: Progress) -> Progress:
        """It is sealed: from here on, changes."""
        return self._anew(progress)

    def query(self, resource: str, progress: Progress) -> PageQuery:
        """The next page of changes."""
        return PageQuery(resource=resource, cursor=progress.cursor, next_page=progress.next_page)

    def after_page(self, progress: Progress, page: Page) -> Progress:
        """What to remember once the page is saved. Raises PageUnreadable for one that leads nowhere."""
        if page.next_page is None:
            return replace(progress, cursor=cursor_of(page), next_page=None, failures=0, outages=0)
        if page.next_page == progress.next_page:
            raise PageUnreadable("a page of changes leads to itself")
        return replace(progress, next_page=page.next_page, failures=0, outages=0)

    def after_expiry(self, progress: Progress) -> Progress | None:
        """Everything is to be read; None: that has been done often enough."""
        if progress.expiries + 1 >= self.expiries:
            return None
        return replace(self._anew(progress), cursor=NONE, expiries=progress.expiries + 1)

    @staticmethod
    def is_of_changes(progress: Progress) -> bool:
        """Whether a page that was asked for with this progress is one of changes."""
        return bool(progress.cursor) and not progress.whole

    @staticmethod
    def gone(page: Page) -> Sequence[Gone]:
        """What the page says was deleted. Of an id that is among its records too, only a time can tell which holds."""
        shown = {record.source_id for record in page.records} | {broken.source_id for broken in page.broken}
        return [each for each in page.gone if each.at is not None or each.source_id not in shown]

    @staticmethod
    def _anew(progress: Progress) -> Progress:
        """Nothing of a scan, or of the changes before it, is left."""
        return replace(
            progress, whole=False, scan_pass=1, next_page=None, total=None, moved=False, shown=0, blind=False,
            looked=None, looks=0, walk_began=None,
        )  # fmt: skip


def cursor_of(page: Page) -> str:
    """Raises PageUnreadable if it has none."""
    if not page.cursor:
        raise PageUnreadable("the answer has no cursor to go on from")
    return page.cursor
