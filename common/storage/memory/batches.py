"""The twin of `common.storage.batches`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from common.domain.batches import (
    MAY_BECOME,
    NOTHING_FED,
    Baseline,
    Batch,
    BatchItem,
    BatchState,
    DueBatch,
    Fed,
    NewBatch,
    outcome_of,
    pause_after,
)
from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.events import Origin
from common.domain.letters import Stage
from common.storage.memory.letters import is_same, put_back
from common.storage.memory.tables import MemoryTables, Rows


class MemoryBatches:
    """Implements `common.domain.batches.Batches`."""

    def __init__(self, tables: MemoryTables, customer: Callable[[str], Customer]) -> None:
        self._tables = tables
        self._customer = customer

    def create(self, new: NewBatch, now: datetime) -> None:
        key = (new.customer_id, new.name)
        names = ("customer_id", "name", "actor", "chosen", "overwrites", "portion", "per_minute")
        numbers = list(dict.fromkeys(new.numbers))
        with self._tables.transaction() as rows:
            if key in rows.batches:
                raise CustomerInvalid(new.customer_id, "--name", f"{new.name!r} is taken; choose another")
            rows.batches[key] = Batch(
                **{name: getattr(new, name) for name in names},
                state=BatchState.ACTIVE,
                created_at=now,
                next_feed_at=now,
                finished_at=None,
            )
            rows.items.update({(*key, number): "waiting" for number in numbers})
            rows.history.append((new.customer_id, "batch.started", f"{new.name}: {len(numbers)} dead letters"))

    def due(self, now: datetime) -> Sequence[DueBatch]:
        ready = sorted(
            (batch for batch in self._tables.rows.batches.values() if self._is_ready(batch, now)),
            key=lambda batch: batch.next_feed_at,
        )
        return [
            DueBatch(customer_id=batch.customer_id, name=batch.name, lane=self._customer(batch.customer_id).lane)
            for batch in ready
        ]

    def _is_ready(self, batch: Batch, now: datetime) -> bool:
        customer = self._customer(batch.customer_id)
        may = customer.may_be_applied and not customer.is_parked(now)
        return may and batch.state is BatchState.ACTIVE and batch.next_feed_at <= now

    def feed(self, customer_id: str, name: str, now: datetime) -> Fed:
        with self._tables.transaction() as rows:
            batch = rows.batches.get((customer_id, name))
            return _feed(rows, batch, now) if batch is not None and self._is_ready(batch, now) else NOTHING_FED

    def get(self, customer_id: str, name: str) -> Batch | None:
        rows = self._tables.rows
        batch = rows.batches.get((customer_id, name))
        return None if batch is None else _counted(rows, batch)

    def list(self, customer_id: str | None = None, *, limit: int) -> Sequence[Batch]:
        rows = self._tables.rows
        own = [batch for batch in rows.batches.values() if customer_id in (None, batch.customer_id)]
        latest = sorted(own, key=lambda batch: (-batch.created_at.timestamp(), batch.name))
        return [_counted(rows, batch) for batch in latest[:limit]]

    def items(self, customer_id: str, name: str) -> Sequence[BatchItem]:
        return _items(self._tables.rows, customer_id, name)

    def baselines(self, customer_id: str, event_ids: Collection[int]) -> Mapping[int, Baseline]:
        rows = self._tables.rows
        found = ((event_id, _baseline(rows, customer_id, event_id)) for event_id in event_ids)
        return {event_id: baseline for event_id, baseline in found if baseline is not None}

    def change(self, customer_id: str, name: str, state: BatchState, *, actor: str, why: str, now: datetime) -> bool:
        del actor  # the twin's history has no column for it
        with self._tables.transaction() as rows:
            batch = rows.batches.get((customer_id, name))
            if batch is None or batch.state not in MAY_BECOME[state]:
                return False
            finished_at = now if state is BatchState.CANCELLED else None
            rows.batches[customer_id, name] = replace(batch, state=state, finished_at=finished_at)
            rows.history.append((customer_id, f"batch.{state}", f"{name}: {why}" if why else name))
            return True


def _feed(rows: Rows, batch: Batch, now: datetime) -> Fed:
    key = (batch.customer_id, batch.name)
    on_the_way = _on_the_way(rows, batch)
    portion = _portion(rows, batch, max(0, batch.portion - on_the_way))
    fed = []
    for number in portion:
        is_fed = put_back(rows, number, now, resolution=f"batch {batch.name}", origin=Origin.BATCH)
        rows.items[*key, number] = "fed" if is_fed else "left_out"
        fed += [rows.letters[number - 1]] if is_fed else []
    if not portion and not on_the_way and not _waiting(rows, batch):
        rows.batches[key] = replace(batch, state=BatchState.COMPLETED, finished_at=now)
        return Fed(is_completed=True)
    rows.batches[key] = replace(batch, next_feed_at=now + pause_after(len(fed), batch.per_minute))
    read_again = sorted({letter.entity.resource for letter in fed if letter.stage == Stage.DETECT})
    return Fed(applied=sum(letter.stage != Stage.DETECT for letter in fed), read_again=tuple(read_again))


def _baseline(rows: Rows, customer_id: str, event_id: int) -> Baseline | None:
    numbers = [number for number, letter in enumerate(rows.letters, start=1) if letter.event_id == event_id]
    fed = {key[2]: key[1] for key, item in rows.items.items() if key[0] == customer_id and item == "fed"}
    last = next((fed[number] for number in reversed(numbers) if number in fed), None)
    entity = rows.events[event_id].event.entity
    link = rows.links.get(entity)
    if last is None or rows.batches[customer_id, last].overwrites or link is None:
        return None
    written = (row.event for row in rows.events_of(entity) if row.event.version == link.applied_version)
    return next((Baseline(payload=event.payload, version=event.version) for event in written), None)


def _numbers(rows: Rows, batch: Batch, state: str) -> list[int]:
    own = (batch.customer_id, batch.name)
    return sorted(number for (*key, number), item in rows.items.items() if tuple(key) == own and item == state)


def _waiting(rows: Rows, batch: Batch) -> list[int]:
    return _numbers(rows, batch, "waiting")


def _on_the_way(rows: Rows, batch: Batch) -> int:
    own = (rows.events[rows.letters[number - 1].event_id] for number in _numbers(rows, batch, "fed"))
    return sum(row.is_open and row.waits_for is None and not row.until_newer for row in own)


def _portion(rows: Rows, batch: Batch, room: int) -> list[int]:
    unreadable: list[int] = []
    readable: list[int] = []
    for number in _waiting(rows, batch):
        (unreadable if rows.letters[number - 1].stage == Stage.DETECT else readable).append(number)
    return [*unreadable, *readable[:room]]


def _counted(rows: Rows, batch: Batch) -> Batch:
    items = _items(rows, batch.customer_id, batch.name)
    return replace(batch, counts=Counter(item.outcome for item in items))


def _items(rows: Rows, customer_id: str, name: str) -> list[BatchItem]:
    own = {number: item for (*key, number), item in rows.items.items() if tuple(key) == (customer_id, name)}
    return [_item(rows, number, own[number]) for number in sorted(own)]


def _item(rows: Rows, number: int, item: str) -> BatchItem:
    letter = rows.letters[number - 1]
    later = (n for n, each in enumerate(rows.letters[number:], start=number + 1) if is_same(each, letter))
    again = next(later, None) if item == "fed" else None
    event = rows.events[letter.event_id].event.state
    return BatchItem(
        dead_letter_id=number,
        resource=letter.entity.resource,
        source_id=letter.entity.source_id,
        outcome=outcome_of(item, letter.stage, event, failed_again=again is not None),
        again=again,
    )
