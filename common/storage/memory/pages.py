"""The twin of `common.storage.pages`: the same rules on rows in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from common.domain.entities import EntityKey
from common.domain.pages import SeenPage, SeenPages, showings
from common.domain.stores import PageToSave
from common.storage.memory.tables import MemoryTables, PageRow, Rows


class MemoryPages:
    """Implements `common.domain.pages.PageHistory`."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def seen(self, entity: EntityKey, *, newest: int) -> SeenPages:
        own = {key: row for key, row in self._tables.rows.pages.items() if key[0] == entity.customer_id}
        kept = [row for key, row in own.items() if key[1] == entity.resource]
        shown = [row.page for row in kept if entity.source_id in row.source_ids]
        shown.sort(key=lambda page: (page.seen_at, page.number), reverse=True)
        return SeenPages(
            newest=shown[:newest],
            left_out=max(len(shown) - newest, 0),
            kept=len(kept),
            begins_at=min((row.page.first_seen_at for row in own.values()), default=None),
        )

    def prune(self, before: datetime, *, at_most: int) -> int:
        with self._tables.transaction() as rows:
            old = sorted((row.page.seen_at, key) for key, row in rows.pages.items() if row.page.seen_at < before)
            for _, key in old[:at_most]:
                del rows.pages[key]
            return len(old[:at_most])

    def count(self, customer_id: str) -> int:
        return sum(key[0] == customer_id for key in self._tables.rows.pages)

    def forget(self, customer_id: str) -> int:
        with self._tables.transaction() as rows:
            own = [key for key in rows.pages if key[0] == customer_id]
            for key in own:
                del rows.pages[key]
            return len(own)


def record_page(rows: Rows, page: PageToSave) -> None:
    """After its run has counted it: the count is the page's number."""
    number = rows.runs[page.customer_id, page.run_id].counts.pages
    for showing in showings(page):
        key = page.customer_id, showing.resource, showing.digest
        fresh = SeenPage(
            run_id=page.run_id, number=number, scan_pass=page.scan_pass, origin=page.origin, scope=page.scope,
            address=showing.address, first_seen_at=page.now, seen_at=page.now, times=1,
        )  # fmt: skip
        known = rows.pages[key].page if key in rows.pages else None
        again = known and replace(
            fresh, first_seen_at=known.first_seen_at, times=known.times + 1
        )  # fmt: skip
        rows.pages[key] = PageRow(page=again or fresh, source_ids=showing.source_ids)
