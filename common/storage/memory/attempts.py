"""The twin of `common.storage.attempts`: the same rules on rows in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from common.domain.attempts import Attempt, forgotten
from common.storage.memory.tables import MemoryTables, Rows


class MemoryAttempts:
    """Implements `common.domain.attempts.AttemptHistory`."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def attempts_of(self, customer_id: str, event_ids: Collection[int]) -> Mapping[int, Sequence[Attempt]]:
        kept = self._tables.rows.attempts
        return {event_id: found for event_id in event_ids if (found := kept.get((customer_id, event_id)))}


def record_attempts(rows: Rows, customer_id: str, made: Sequence[Attempt]) -> None:
    """Number them, and forget what is neither among the first nor among the newest."""
    for attempt in made:
        key = customer_id, attempt.event_id
        kept = rows.attempts.get(key, ())
        number = kept[-1].number + 1 if kept else 1
        left = tuple(each for each in kept if each.number != forgotten(number))
        rows.attempts[key] = (*left, replace(attempt, number=number))
