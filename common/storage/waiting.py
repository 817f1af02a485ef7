"""Events that wait for another entity's link or for a newer event of their own entity, and what wakes them.

Whoever records that an event waits and whoever records what it waits for meet in one advisory lock per customer: shared
among those that record links or put events into the outbox, exclusive for who begins to wait. Without it each could
commit unseen by the other, and the event would sleep until it asks by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, TextClause, func, select, text, tuple_, update

from common.domain.entities import EntityKey
from common.domain.events import EventState
from common.domain.writes import EventOutcome, SliceOutcome
from common.storage.due import IS_OPEN, OPEN_NAMES
from common.storage.tables import events, links

#: First half of the lock's key, which keeps it apart from every other advisory lock; the second is the customer's.
TURNS_CLASS = 720_411
#: As the index on waiting events says it, written out: the planner uses a partial index only where it can see this.
IS_WAITING = text("waits_for <> ''")
#: In the place of an entity's name, each of which has a slash.
NEWER = "newer"
#: Of open events, those that wait because they are to, for weeks as may be: they say nothing of how fast we are.
BY_DESIGN = events.c.waits_for == NEWER


def name_of(entity: EntityKey) -> str:
    """As `events.waits_for` holds it."""
    return f"{entity.resource}/{entity.source_id}"


def awaited(outcome: EventOutcome) -> str:
    """As `events.waits_for` holds it; empty if it waits for nothing but its time."""
    if outcome.waits_for is not None:
        return name_of(outcome.waits_for)
    return NEWER if outcome.until_newer else ""


def take_turns(connection: Connection, customer_id: str, outcome: SliceOutcome) -> None:
    """Before anything else of the transaction, so that no two of them wait for each other."""
    lock = func.pg_advisory_xact_lock_shared
    if any(map(awaited, outcome.events)):
        lock = func.pg_advisory_xact_lock
    elif not outcome.links:
        return
    connection.execute(select(lock(TURNS_CLASS, _half_key(customer_id))))


def take_turn(connection: Connection, customer_id: str) -> None:
    """Of who may put newer events into the outbox: before the first row that anybody else changes who takes turns."""
    connection.execute(select(func.pg_advisory_xact_lock_shared(TURNS_CLASS, _half_key(customer_id))))


def _half_key(customer_id: str) -> int:
    """32 bits. Customers that collide take turns with each other for some milliseconds, and that is all."""
    return int.from_bytes(hashlib.blake2b(customer_id.encode(), digest_size=4).digest(), "big", signed=True)


def wake(connection: Connection, customer_id: str, linked: Sequence[EntityKey], now: datetime) -> None:
    """What waits for the link of one of these is due now."""
    if linked:
        _wake(connection, customer_id, now, events.c.waits_for.in_([name_of(entity) for entity in linked]), IS_WAITING)


def wake_older(
    connection: Connection, customer_id: str, resource: str, source_ids: Sequence[str], now: datetime
) -> None:
    """What waits for a newer event of one of these is due now: there is one."""
    if source_ids:
        own = (events.c.resource == resource, events.c.source_id.in_(source_ids))
        _wake(connection, customer_id, now, *own, events.c.waits_for == NEWER)


def _wake(connection: Connection, customer_id: str, now: datetime, *which: ColumnElement[bool] | TextClause) -> None:
    """One whose row is being written by its own slice is passed over: that slice sees by itself what has come."""
    waiting = (
        select(events.c.event_id)
        .where(events.c.customer_id == customer_id, *which, IS_OPEN)
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


def supersede(connection: Connection, customer_id: str, outcomes: Sequence[EventOutcome], now: datetime) -> None:
    """Whose newer event came between the look at it and here does not wait: that one stands for it.

    Were it made due instead, a slice that has no room for the newer one would take it up again and again.
    """
    waiting = [outcome.event_id for outcome in outcomes if outcome.until_newer]
    if not waiting:
        return
    found = _newest_after(customer_id, waiting)
    reason = func.concat("by version ", found.c.version, " (event ", found.c.newer_id, ")")
    connection.execute(
        update(events)
        .where(events.c.customer_id == customer_id, events.c.event_id == found.c.event_id)
        .values(state=EventState.SUPERSEDED, reason=reason, finished_at=now, waits_for="")
    )


def _newest_after(customer_id: str, event_ids: Sequence[int]) -> Subquery:
    """Of each of these that has any: its entity's newest open event. None where every event counts."""
    newer = events.alias("newer")
    is_newer = (
        newer.c.customer_id == customer_id,
        newer.c.resource == events.c.resource,
        newer.c.source_id == events.c.source_id,
        newer.c.version > events.c.version,
        newer.c.state.in_(OPEN_NAMES),
        newer.c.coalesce,
    )
    own = (events.c.customer_id == customer_id, events.c.event_id.in_(event_ids), IS_OPEN, events.c.coalesce)
    columns = (
        events.c.event_id,
        func.max(newer.c.version).label("version"),
        func.max(newer.c.event_id).label("newer_id"),
    )
    return select(*columns).where(*own, *is_newer).group_by(events.c.event_id).subquery()
