"""When an event may be applied: it is open, its time has come, and so has that of every open event of its entity."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists

from common.storage.tables import events

#: As `tables.OPEN`, for queries that join another table with a column `state`.
IS_OPEN = events.c.state.in_(("pending", "submitted"))


def held_back(now: datetime) -> ColumnElement[bool]:
    """True of an event whose entity has any open event that must wait: order holds within an entity, and only there."""
    waiting = events.alias("waiting")
    return exists().where(
        waiting.c.customer_id == events.c.customer_id,
        waiting.c.resource == events.c.resource,
        waiting.c.source_id == events.c.source_id,
        waiting.c.state.in_(("pending", "submitted")),
        waiting.c.retry_at > now,
    )
