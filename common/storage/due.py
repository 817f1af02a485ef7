"""When an event may be applied: it is open, its time has come, and so has that of every open event of its entity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, exists, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.elements import KeyedColumnElement

from common.domain.events import Origin
from common.storage.tables import BACKFILL_LAST, events

#: Written out, not bound: an index on open events is used only where the planner can see that they are.
OPEN_NAMES: tuple[ColumnElement[str], ...] = (literal_column("'pending'"), literal_column("'submitted'"))
#: As `tables.OPEN`, for queries that join another table with a column `state`.
IS_OPEN = events.c.state.in_(OPEN_NAMES)
#: Live events before a backfill's, then the oldest: the order of the index, so that a slice reads no more than itself.
IN_ORDER = (BACKFILL_LAST, events.c.event_id)


def held_back(now: datetime) -> ColumnElement[bool]:
    """True of an event whose entity has any open event that must wait: order holds within an entity, and only there."""
    waiting = events.alias("waiting")
    return exists().where(
        waiting.c.customer_id == events.c.customer_id,
        waiting.c.resource == events.c.resource,
        waiting.c.source_id == events.c.source_id,
        waiting.c.state.in_(OPEN_NAMES),
        waiting.c.retry_at > now,
    )


def is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of an event that may be applied now."""
    return IS_OPEN, events.c.retry_at <= now, ~held_back(now)


def with_open_events(column: KeyedColumnElement[Any], *where: ColumnElement[bool]) -> CTE:
    """The distinct values of an indexed column among open events, one look into the index for each.

    The backlog of one customer may be a hundred thousand events; a plain DISTINCT would read them all.
    """
    first = select(column.label("value")).where(IS_OPEN, *where).order_by(column).limit(1).subquery()
    found = select(first.c.value).cte("found", recursive=True)
    following = (
        select(column).where(IS_OPEN, column > found.c.value, *where).order_by(column).limit(1).scalar_subquery()
    )
    return found.union_all(select(following).where(found.c.value.is_not(None)))


def gathering(customer_id: str, now: datetime, at_most: int) -> Select[Any]:
    """One row: a `common.domain.gathering.Gathering` of what is due, counted up to `at_most`."""
    own = events.c.customer_id == customer_id
    partitions = with_open_events(events.c.partition, own)
    some = (
        select(events.c.origin, events.c.detected_at, (events.c.retry_at > events.c.detected_at).label("again"))
        .where(own, events.c.partition == partitions.c.value, *is_due(now))
        .limit(at_most)
        .lateral()
    )
    due = select(some).select_from(partitions.join(some, true())).limit(at_most).subquery()
    is_backfill = due.c.origin == Origin.BACKFILL
    return select(
        func.count().label("found"),
        func.min(due.c.detected_at).filter(~is_backfill).label("live_since"),
        func.min(due.c.detected_at).filter(is_backfill).label("backfill_since"),
        func.bool_or(due.c.again).label("is_urgent"),
    )


def newest_of_each(customer_id: str, resource: str, source_ids: Sequence[str]) -> Select[Any]:
    """The last event of each entity."""
    return (
        select(events.c.customer_id, events.c.resource, events.c.source_id, events.c.state)
        .ext(distinct_on(events.c.source_id))
        .where(events.c.customer_id == customer_id, events.c.resource == resource, events.c.source_id.in_(source_ids))
        .order_by(events.c.source_id, events.c.version.desc())
    )
