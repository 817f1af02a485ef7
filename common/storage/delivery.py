"""What the processor's slice keeps, in PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from common.domain.entities import EntityKey
from common.domain.errors import LockLost
from common.domain.events import FINAL_STATES, Event, EventState
from common.domain.gathering import Gathering
from common.domain.writes import Intent, Link, Operation, SliceOutcome, WriteState
from common.storage.again import put_again
from common.storage.due import IN_ORDER, IS_OPEN, gathering, held_back, is_due, newest_of_each, with_open_events
from common.storage.emails import claim, owners_of
from common.storage.engine import reading
from common.storage.outcomes import entity_columns, record_outcome
from common.storage.reviews import cleared
from common.storage.tables import UNRESOLVED, dead_letters, events, links, writes


class PostgresDeliveryStore:
    """Implements `common.domain.stores.DeliveryStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def due_partitions(self, customer_id: str, now: datetime) -> Sequence[int]:
        own = events.c.customer_id == customer_id
        partitions = with_open_events(events.c.partition, own)
        oldest = (
            select(events.c.retry_at)
            .where(own, events.c.partition == partitions.c.value, *is_due(now))
            .order_by(events.c.retry_at)
            .limit(1)
            .lateral()
        )
        query = select(partitions.c.value).join(oldest, true()).order_by(oldest.c.retry_at)
        with self._reads.connect() as connection:
            return list(connection.execute(query).scalars())

    def read_slice(self, customer_id: str, partition: int, now: datetime, limit: int) -> Sequence[Event]:
        query = (
            select(events)
            .where(events.c.customer_id == customer_id, events.c.partition == partition)
            .where(IS_OPEN, ~held_back(now))
            .order_by(*IN_ORDER)
            .limit(limit)
        )
        with self._reads.connect() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def read_events(self, customer_id: str, event_ids: Collection[int]) -> Sequence[Event]:
        query = select(events).where(events.c.customer_id == customer_id, events.c.event_id.in_(event_ids), IS_OPEN)
        with self._reads.connect() as connection:
            return [event_of(row) for row in connection.execute(query.order_by(events.c.event_id))]

    def gathering(self, customer_id: str, now: datetime, at_most: int) -> Gathering:
        with self._reads.connect() as connection:
            row = connection.execute(gathering(customer_id, now, at_most)).one()
        return Gathering(
            count=row.found, live_since=row.live_since, backfill_since=row.backfill_since, is_urgent=bool(row.is_urgent)
        )

    def newest_states(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, EventState]:
        found: dict[EntityKey, EventState] = {}
        with self._reads.connect() as connection:
            for (customer_id, resource), source_ids in _by_resource(entities).items():
                rows = connection.execute(newest_of_each(customer_id, resource, source_ids))
                found |= {_entity(row): EventState(row.state) for row in rows}
        return found

    def links(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Link]:
        rows = self._of_entities(links, entities)
        return {link.entity: link for link in map(link_of, rows)}

    def links_to(self, customer_id: str, resource: str, destination_ids: Collection[str]) -> Sequence[Link]:
        query = (
            select(links)
            .filter_by(customer_id=customer_id, resource=resource)
            .where(links.c.destination_id.in_(destination_ids))
        )
        with self._reads.connect() as connection:
            return [link for link in map(link_of, connection.execute(query)) if not link.was_removed]

    def unresolved(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Intent]:
        rows = self._of_entities(writes, entities, UNRESOLVED)
        return {intent.entity: intent for intent in map(_intent, rows)}

    def _of_entities(self, table: Any, entities: Sequence[EntityKey], *conditions: Any) -> list[Any]:
        found: list[Any] = []
        with self._reads.connect() as connection:
            for (customer_id, resource), source_ids in _by_resource(entities).items():
                query = select(table).where(
                    table.c.customer_id == customer_id,
                    table.c.resource == resource,
                    table.c.source_id.in_(source_ids),
                    *conditions,
                )
                found += connection.execute(query).all()
        return found

    def begin(self, intents: Sequence[Intent]) -> None:
        try:
            self._begin(intents)
        except IntegrityError:
            # The index that allows one unresolved write of an entity: somebody else has just begun one.
            raise LockLost("another worker is writing the same entity") from None

    def _begin(self, intents: Sequence[Intent]) -> None:
        with self._engine.begin() as connection:
            _require_open(connection, intents)
            connection.execute(
                update(writes)
                .where(writes.c.customer_id == intents[0].entity.customer_id, UNRESOLVED)
                .where(writes.c.write_id.in_([intent.replaces for intent in intents]))
                .values(state=WriteState.LOOKED, finished_at=intents[0].started_at)
            )
            claim(connection, intents)
            connection.execute(insert(writes), [_intent_row(intent) for intent in intents])

    def record(self, customer_id: str, outcome: SliceOutcome, now: datetime) -> None:
        with self._engine.begin() as connection:
            record_outcome(connection, customer_id, outcome, now)

    def apply_again(self, entities: Sequence[EntityKey], now: datetime) -> None:
        with self._engine.begin() as connection:
            for (customer_id, resource), source_ids in _by_resource(entities).items():
                put_again(connection, customer_id, resource, source_ids, now)

    def email_owners(self, customer_id: str, addresses: Sequence[str]) -> Mapping[str, EntityKey]:
        with self._reads.connect() as connection:
            return owners_of(connection, customer_id, addresses)

    def cleared(self, entities: Sequence[EntityKey]) -> Collection[EntityKey]:
        found: set[EntityKey] = set()
        with self._reads.connect() as connection:
            for (customer_id, resource), source_ids in _by_resource(entities).items():
                found |= cleared(connection, customer_id, resource, source_ids)
        return found

    def open_dead_letters(self, customer_id: str) -> int:
        query = select(func.count()).where(dead_letters.c.customer_id == customer_id, dead_letters.c.state == "open")
        with self._reads.connect() as connection:
            return int(connection.execute(query).scalar_one())


def _require_open(connection: Connection, intents: Sequence[Intent]) -> None:
    """Between our look at the lock and here, another owner may have applied them."""
    states = connection.execute(
        select(events.c.state)
        .where(events.c.customer_id == intents[0].entity.customer_id)
        .where(events.c.event_id.in_([intent.event_id for intent in intents]))
        .with_for_update()
    ).scalars()
    if any(EventState(state) in FINAL_STATES for state in states):
        raise LockLost("another worker has ended an event of this slice")


def _by_resource(entities: Iterable[EntityKey]) -> dict[tuple[str, str], list[str]]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entity in entities:
        groups[entity.customer_id, entity.resource].append(entity.source_id)
    return groups


def _entity(row: Any) -> EntityKey:
    return EntityKey(customer_id=row.customer_id, resource=row.resource, source_id=row.source_id)


def event_of(row: Any) -> Event:
    return Event(
        event_id=row.event_id,
        entity=_entity(row),
        partition=row.partition,
        action=row.action,
        version=row.version,
        event_version=row.event_version,
        payload=row.payload,
        origin=row.origin,
        run_id=row.run_id,
        trace_id=row.trace_id,
        state=EventState(row.state),
        attempts=row.attempts,
        failures=row.failures,
        defects=row.defects,
        detected_at=row.detected_at,
        occurred_at=row.occurred_at,
        coalesce=row.coalesce,
    )


def link_of(row: Any) -> Link:
    return Link(
        entity=_entity(row),
        destination_id=row.destination_id,
        details=row.details,
        applied_version=row.applied_version,
        applied_hash=row.applied_hash,
    )


def _intent(row: Any) -> Intent:
    return Intent(
        write_id=row.write_id,
        entity=_entity(row),
        event_id=row.event_id,
        version=row.version,
        operation=Operation(row.operation),
        mapped_hash=row.mapped_hash,
        state=WriteState(row.state),
        started_at=row.started_at,
        settles_at=row.settles_at,
    )


def _intent_row(intent: Intent) -> dict[str, Any]:
    return {
        **entity_columns(intent.entity),
        "write_id": intent.write_id,
        "event_id": intent.event_id,
        "version": intent.version,
        "operation": intent.operation,
        "mapped_hash": intent.mapped_hash,
        "state": intent.state,
        "started_at": intent.started_at,
        "settles_at": intent.settles_at,
    }
