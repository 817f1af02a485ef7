"""The twin of `common.storage.sizes`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from common.domain.entities import EntityKey
from common.domain.layers import Layer
from common.storage.memory.tables import MemoryTables, MirrorRow


class MemorySizes:
    """Implements `common.domain.sizes.Sizes`."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def counts(self, customer_id: str) -> Mapping[str, int]:
        return Counter(entity.resource for entity, _ in self._there(customer_id))

    def bodies(self, customer_id: str, resource: str) -> Iterator[Mapping[str, Any]]:
        rows = sorted(self._there(customer_id), key=lambda row: row[0].source_id)
        yield from (known.body for entity, known in rows if entity.resource == resource)

    def listed(self, customer_id: str) -> Collection[str]:
        rows = self._tables.rows.checkpoints.items()
        return frozenset(
            resource
            for (owner, resource, layer), row in rows
            if (owner, layer) == (customer_id, Layer.POLL) and row.position is not None
        )

    def _there(self, customer_id: str) -> Iterator[tuple[EntityKey, MirrorRow]]:
        for entity, known in self._tables.mirror.items():
            is_there = known.deleted_at is None and not known.content_hash.startswith("broken:")
            if entity.customer_id == customer_id and is_there:
                yield entity, known
