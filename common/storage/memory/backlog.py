"""The twin of `common.storage.backlog`."""

from __future__ import annotations

from common.storage.memory.tables import MemoryTables


class MemoryBacklog:
    """Implements `common.domain.backlog.Backlog`."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def open_events(self, customer_id: str, at_most: int) -> int:
        rows = self._tables.rows.events.values()
        return min(at_most, sum(row.is_open and row.event.entity.customer_id == customer_id for row in rows))
