"""Put records into the outbox once more because a check has found them otherwise than they should be: never a write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.entities import EntityKey, partition_of
from common.domain.events import EVENT_VERSION, OPEN_STATES, Action, EventState, Origin
from common.domain.verifying import BROKEN
from common.storage import waiting
from common.storage.again import HASH_IN_DOUBT
from common.storage.tables import events, links, mirror

#: Records in one transaction.
STEP = 500


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Whose check it is."""

    customer_id: str
    resource: str
    run_id: str
    trace_id: str
    now: datetime


def repair(engine: Engine, ask: Ask, source_ids: Sequence[str], *, partitions: int) -> int:
    """An event of origin reconciliation for each, of the mirror's state and a version more; returns how many.

    Left out is what has an open event by now, and what could not be read. What the ledger believes of them is
    forgotten, so that the event is not taken for done before.
    """
    count = 0
    for start in range(0, len(source_ids), STEP):
        with engine.begin() as connection:
            count += _step(connection, ask, source_ids[start : start + STEP], partitions)
    return count


def _step(connection: Connection, ask: Ask, source_ids: Sequence[str], partitions: int) -> int:
    """The customer's turn, the mirror's rows, the links: in the order in which everybody locks them."""
    waiting.take_turn(connection, ask.customer_id)
    rows = connection.execute(_newer(ask, source_ids)).all()
    if not rows:
        return 0
    ids = [row.source_id for row in rows]
    own = (links.c.customer_id == ask.customer_id, links.c.resource == ask.resource, links.c.source_id.in_(ids))
    connection.execute(update(links).where(*own).values(applied_hash=HASH_IN_DOUBT))
    connection.execute(insert(events), [_event(ask, row, partitions) for row in rows])
    waiting.wake_older(connection, ask.customer_id, ask.resource, ids, ask.now)
    return len(rows)


def _newer(ask: Ask, source_ids: Sequence[str]) -> Any:
    is_open = exists().where(
        events.c.customer_id == mirror.c.customer_id,
        events.c.resource == mirror.c.resource,
        events.c.source_id == mirror.c.source_id,
        events.c.state.in_(OPEN_STATES),
    )
    own = (mirror.c.customer_id == ask.customer_id, mirror.c.resource == ask.resource)
    wanted = (
        select(mirror.c.source_id)
        .where(*own, mirror.c.source_id.in_(source_ids), ~is_open, mirror.c.content_hash.not_like(f"{BROKEN}%"))
        .order_by(mirror.c.source_id)
        .with_for_update()
    )
    return (
        update(mirror)
        .where(*own, mirror.c.source_id.in_(wanted))
        .values(version=mirror.c.version + 1)
        .returning(mirror)
    )


def _event(ask: Ask, row: Any, partitions: int) -> dict[str, Any]:
    key = {"customer_id": ask.customer_id, "resource": ask.resource, "source_id": row.source_id}
    return {
        **key,
        "version": row.version,
        "partition": partition_of(EntityKey(**key), partitions),
        "action": Action.UPSERT if row.deleted_at is None else Action.DELETE,
        "event_version": EVENT_VERSION,
        "payload": row.body,
        "origin": Origin.RECONCILIATION,
        "run_id": ask.run_id,
        "trace_id": ask.trace_id,
        "state": EventState.PENDING,
        "occurred_at": row.source_updated_at,
        "detected_at": ask.now,
        "retry_at": ask.now,
    }
