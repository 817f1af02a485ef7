"""Events that wait for another entity's link, and what wakes them.

Whoever records that an event waits and whoever records the link meet in one advisory lock per customer: shared among
those that record links, exclusive for who begins to wait. Without it each could commit unseen by the other, and the
event would sleep until it asks by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, text, tuple_, update

from common.domain.entities import EntityKey
from common.domain.writes import EventOutcome, SliceOutcome
from common.storage.tables import OPEN, events, links

#: First half of the lock's key, which keeps it apart from every other advisory lock; the second is the customer's.
TURNS_CLASS = 720_411
#: As the index on waiting events says it, written out: the planner uses a partial index only where it can see this.
IS_WAITING = text("waits_for <> ''")


def name_of(entity: EntityKey) -> str:
    """As `events.waits_for` holds it."""
    return f"{entity.resource}/{entity.source_id}"


def take_turns(connection: Connection, customer_id: str, outcome: SliceOutcome) -> None:
    """Before anything else of the transaction, so that no two of them wait for each other."""
    lock = func.pg_advisory_xact_lock_shared
    if any(event.waits_for is not None for event in outcome.events):
        lock = func.pg_advisory_xact_lock
    elif not outcome.links:
        return
    connection.execute(select(lock(TURNS_CLASS, _half_key(customer_id))))


def _half_key(customer_id: str) -> int:
    """32 bits. Customers that collide take turns with each other for some milliseconds, and that is all."""
    return int.from_bytes(hashlib.blake2b(customer_id.encode(), digest_size=4).digest(), "big", signed=True)


def wake(connection: Connection, customer_id: str, linked: Sequence[EntityKey], now: datetime) -> None:
    """What waits for one of these is due now.

    One whose row is being written by its own slice is passed over: that slice sees the link by itself.
    """
    if not linked:
        return
    names = [name_of(entity) for entity in linked]
    waiting = (
        select(events.c.event_id)
        .where(events.c.customer_id == customer_id, events.c.waits_for.in_(names), IS_WAITING, OPEN)
        .with_for_update(skip_locked=True)
    )
    connection.execute(
        update(events)
        .where(events.c.customer_id == customer_id, events.c.event_id.in_(waiting))
        .values(retry_at=now, waits_for="", reason="")
    )


def let_go(connection: Connection, customer_id: str, outcomes: Sequence[EventOutcome], now: datetime) -> None:
    """Whose link was recorded between the look at it and here does not wait."""
    wanted = {outcome.waits_for for outcome in outcomes if outcome.waits_for is not None}
    if not wanted:
        return
    keys = tuple_(links.c.resource, links.c.source_id)
    query = select(links.c.resource, links.c.source_id).where(
        links.c.customer_id == customer_id, keys.in_([(entity.resource, entity.source_id) for entity in wanted])
    )
    there = [
        EntityKey(customer_id=customer_id, resource=row.resource, source_id=row.source_id)
        for row in connection.execute(query)
    ]
    wake(connection, customer_id, there, now)
