"""What the processor's slice keeps, in PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from common.domain.entities import EntityKey
from common.domain.errors import LockLost
from common.domain.events import FINAL_STATES, Event, EventState
from common.domain.writes import (
    UNRESOLVED_STATES,
    EventOutcome,
    Intent,
    Link,
    Operation,
    SliceOutcome,
    WriteOutcome,
    WriteState,
)
from common.storage.again import put_again
from common.storage.due import IN_ORDER, IS_OPEN, held_back, is_due, with_open_events
from common.storage.emails import claim, owners_of, use
from common.storage.engine import reading
from common.storage.reviews import cleared, put, settle
from common.storage.tables import OPEN, UNRESOLVED, dead_letters, events, links, writes


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
            return [_event(row) for row in connection.execute(query)]

    def links(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Link]:
        rows = self._of_entities(links, entities)
        return {link.entity: link for link in map(_link, rows)}

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
            _record_writes(connection, customer_id, outcome.writes, now)
            _record_links(connection, outcome.links, now)
            settle(connection, outcome.links, now)
            put(connection, outcome.reviews, now)
            use(connection, outcome.emails, now)
            _record_dead_letters(connection, customer_id, outcome.events, now)
            _record_events(connection, customer_id, outcome.events, now)

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


def _event(row: Any) -> Event:
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
        detected_at=row.detected_at,
        occurred_at=row.occurred_at,
        coalesce=row.coalesce,
    )


def _link(row: Any) -> Link:
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


def _entity_columns(entity: EntityKey) -> dict[str, Any]:
    return {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}


def _intent_row(intent: Intent) -> dict[str, Any]:
    return {
        **_entity_columns(intent.entity),
        "write_id": intent.write_id,
        "event_id": intent.event_id,
        "version": intent.version,
        "operation": intent.operation,
        "mapped_hash": intent.mapped_hash,
        "state": intent.state,
        "started_at": intent.started_at,
        "settles_at": intent.settles_at,
    }


def _record_writes(connection: Connection, customer_id: str, outcomes: Sequence[WriteOutcome], now: datetime) -> None:
    for outcome in outcomes:
        changes: dict[str, Any] = {
            "state": outcome.state,
            "destination_id": outcome.destination_id,
            "finished_at": None if outcome.state in UNRESOLVED_STATES else now,
        }
        if outcome.settles_at is not None:
            changes["settles_at"] = outcome.settles_at
        result = connection.execute(
            update(writes)
            .where(writes.c.customer_id == customer_id, writes.c.write_id == outcome.write_id, UNRESOLVED)
            .values(changes)
        )
        if result.rowcount != 1:
            raise LockLost(f"customer {customer_id}: write {outcome.write_id} was taken over by another worker")


def _record_links(connection: Connection, found: Sequence[Link], now: datetime) -> None:
    if not found:
        return
    rows = [
        {
            **_entity_columns(link.entity),
            "destination_id": link.destination_id,
            "details": dict(link.details),
            "applied_version": link.applied_version,
            "applied_hash": link.applied_hash,
            "created_at": now,
            "updated_at": now,
        }
        for link in found
    ]
    statement = insert(links).values(rows)
    names = ("destination_id", "details", "applied_version", "applied_hash", "updated_at")
    changes = {name: statement.excluded[name] for name in names}
    keys = [links.c.customer_id, links.c.resource, links.c.source_id]
    newer = links.c.applied_version <= statement.excluded.applied_version
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes, where=newer))
    for link in found:
        _close_older_letters(connection, link, now)


def _close_older_letters(connection: Connection, link: Link, now: datetime) -> None:
    """A dead letter whose entity has come through with a newer version asks nothing of anybody any more."""
    older = select(events.c.event_id).where(
        events.c.customer_id == link.entity.customer_id,
        events.c.event_id == dead_letters.c.event_id,
        events.c.version < link.applied_version,
    )
    connection.execute(
        update(dead_letters)
        .where(dead_letters.c.customer_id == link.entity.customer_id, dead_letters.c.state == "open")
        .where(dead_letters.c.resource == link.entity.resource, dead_letters.c.source_id == link.entity.source_id)
        .where(older.exists())
        .values(state="superseded", resolution="a newer version was applied", resolved_at=now)
    )


def _record_events(connection: Connection, customer_id: str, outcomes: Sequence[EventOutcome], now: datetime) -> None:
    if not outcomes:
        return
    statement = (
        update(events)
        .where(events.c.customer_id == customer_id, events.c.event_id == bindparam("id"), OPEN)
        .values(
            state=bindparam("new_state"),
            reason=bindparam("why"),
            attempts=events.c.attempts + bindparam("more"),
            retry_at=func.coalesce(bindparam("later", type_=events.c.retry_at.type), events.c.retry_at),
            finished_at=bindparam("finished", type_=events.c.finished_at.type),
        )
    )
    rows = [
        {
            "id": outcome.event_id,
            "new_state": outcome.state,
            "why": outcome.reason,
            "more": outcome.attempts,
            "later": outcome.retry_at,
            "finished": now if outcome.state in FINAL_STATES else None,
        }
        for outcome in outcomes
    ]
    connection.execute(statement, rows)


def _record_dead_letters(
    connection: Connection, customer_id: str, outcomes: Sequence[EventOutcome], now: datetime
) -> None:
    """One letter for each refused event that is still open, with what the event itself knows."""
    for outcome in outcomes:
        refusal = outcome.refusal
        if refusal is None:
            continue
        names = ("resource", "source_id", "attempts", "run_id", "trace_id")
        event = connection.execute(
            select(*(events.c[name] for name in names))
            .where(events.c.customer_id == customer_id, events.c.event_id == outcome.event_id, OPEN)
            .with_for_update()
        ).one_or_none()
        if event is None:
            continue
        letter = {
            **{name: getattr(event, name) for name in names},
            "attempts": event.attempts + outcome.attempts,
            "customer_id": customer_id,
            "event_id": outcome.event_id,
            "stage": "apply",
            "reason": refusal.reason,
            "field": refusal.field,
            "message": refusal.message,
            "status": refusal.status,
            "detail": refusal.detail,
            "state": "open",
            "created_at": now,
        }
        connection.execute(insert(dead_letters).values(letter))
