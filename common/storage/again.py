"""Put an entity's mirrored state into the outbox once more, when a write of ours may have landed after a newer one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.events import EventState, Origin
from common.domain.writes import PERHAPS_REMOVED, REMOVED
from common.storage import waiting
from common.storage.tables import events, links, mirror

#: What an event that is applied again takes over from the one before it.
COPIED = (
    "customer_id", "resource", "source_id", "partition", "action", "event_version", "run_id", "trace_id", "coalesce",
)  # fmt: skip
#: As `Link.doubted`.
HASH_IN_DOUBT = case((links.c.applied_hash.in_((REMOVED, PERHAPS_REMOVED)), PERHAPS_REMOVED), else_="")


def put_again(
    connection: Connection, customer_id: str, resource: str, source_ids: Sequence[str], now: datetime
) -> None:
    """Forget what the ledger believes of these, and put their mirrored state into the outbox anew."""
    waiting.take_turn(connection, customer_id)
    own = (links.c.customer_id == customer_id, links.c.resource == resource, links.c.source_id.in_(source_ids))
    connection.execute(update(links).where(*own).values(applied_hash=HASH_IN_DOUBT))
    newer = (
        update(mirror)
        .where(mirror.c.customer_id == customer_id, mirror.c.resource == resource, mirror.c.source_id.in_(source_ids))
        .values(version=mirror.c.version + 1)
        .returning(mirror.c.source_id, mirror.c.version, mirror.c.body, mirror.c.source_updated_at)
    )
    rows = connection.execute(newer).all()
    for row in rows:
        last = (
            select(events)
            .where(events.c.customer_id == customer_id, events.c.resource == resource)
            .where(events.c.source_id == row.source_id)
            .order_by(events.c.version.desc())
            .limit(1)
        )
        previous = connection.execute(last).one()
        again = {
            **{name: getattr(previous, name) for name in COPIED},
            "version": row.version,
            "payload": row.body,
            "origin": Origin.REPLAY,
            "state": EventState.PENDING,
            "occurred_at": row.source_updated_at,
            "detected_at": now,
            "retry_at": now,
        }
        connection.execute(insert(events).values(again))
    waiting.wake_older(connection, customer_id, resource, [row.source_id for row in rows], now)
