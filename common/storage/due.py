"""When an event may be applied: it is open, its time has come, and so has that of every open event of its entity."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, exists, literal_column, select
from sqlalchemy.sql.elements import KeyedColumnElement

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
