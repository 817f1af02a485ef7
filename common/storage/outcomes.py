"""What one transaction records of a slice: writes, links, reviews, addresses, dead letters and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.entities import EntityKey
from common.domain.errors import LockLost
from common.domain.events import FINAL_STATES, EventState
from common.domain.writes import UNRESOLVED_STATES, EventOutcome, Link, SliceOutcome, WriteOutcome
from common.storage import waiting
from common.storage.attempts import record_attempts
from common.storage.emails import use
from common.storage.identity_tables import reviews
from common.storage.reviews import put, settle
from common.storage.tables import OPEN, UNRESOLVED, dead_letters, events, links, writes


def record_outcome(connection: Connection, customer_id: str, outcome: SliceOutcome, now: datetime) -> None:
    """Raises LockLost if another worker has taken one of the writes over."""
    waiting.take_turns(connection, customer_id, outcome)
    _record_writes(connection, customer_id, outcome.writes, now)
    _record_links(connection, outcome.links, now)
    settle(connection, outcome.links, now)
    put(connection, outcome.reviews, now)
    use(connection, outcome.emails, now)
    _record_dead_letters(connection, customer_id, outcome.events, now)
    _record_events(connection, customer_id, outcome.events, now)
    record_attempts(connection, customer_id, outcome.attempts)
    _close_what_was_skipped(connection, customer_id, outcome.events, now)
    waiting.wake(connection, customer_id, [link.entity for link in outcome.links], now)
    waiting.let_go(connection, customer_id, outcome.events, now)
    waiting.supersede(connection, customer_id, outcome.events, now)


def entity_columns(entity: EntityKey) -> dict[str, Any]:
    return {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}


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
            **entity_columns(link.entity),
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


def _close_what_was_skipped(
    connection: Connection, customer_id: str, outcomes: Sequence[EventOutcome], now: datetime
) -> None:
    """Its older letters and its question ask nothing any more: who is gone is not created by a replay."""
    skipped = [outcome.event_id for outcome in outcomes if outcome.state is EventState.SKIPPED]
    if not skipped:
        return
    newer, older = events.alias("newer"), events.alias("older")

    def of_skipped(table: Table) -> Select[Any]:
        own = (newer.c.customer_id == customer_id, newer.c.event_id.in_(skipped))
        return select(newer.c.event_id).where(
            *own, newer.c.resource == table.c.resource, newer.c.source_id == table.c.source_id
        )

    is_older = of_skipped(dead_letters).where(
        older.c.customer_id == customer_id,
        older.c.event_id == dead_letters.c.event_id,
        older.c.version < newer.c.version,
    )
    connection.execute(
        update(dead_letters)
        .where(dead_letters.c.customer_id == customer_id, dead_letters.c.state == "open", is_older.exists())
        .values(state="superseded", resolution="a newer version was skipped", resolved_at=now)
    )
    connection.execute(
        update(reviews)
        .where(reviews.c.customer_id == customer_id, reviews.c.state == "open", of_skipped(reviews).exists())
        .values(state="settled", resolved_at=now)
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
            failures=events.c.failures + bindparam("more_failures"),
            defects=events.c.defects + bindparam("more_defects"),
            retry_at=func.coalesce(bindparam("later", type_=events.c.retry_at.type), events.c.retry_at),
            finished_at=bindparam("finished", type_=events.c.finished_at.type),
            waits_for=bindparam("awaited"),
        )
    )
    rows = [
        {
            "id": outcome.event_id,
            "new_state": outcome.state,
            "why": outcome.reason,
            "more": outcome.attempts,
            "more_failures": outcome.failures,
            "more_defects": outcome.defects,
            "later": outcome.retry_at,
            "finished": now if outcome.state in FINAL_STATES else None,
            "awaited": waiting.awaited(outcome),
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
