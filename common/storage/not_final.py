"""Events of the last day that are still open after an hour and not by design, counted for all customers at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, func, select

from common.domain.ending import LAST_DAY, UNFINISHED_AFTER
from common.storage.tables import OPEN, events
from common.storage.waiting import BY_DESIGN


def read_not_final(engine: Engine, now: datetime) -> Mapping[str, int]:
    """By customer; those without any are missing. Reads open events alone, by their partial index."""
    late = events.c.detected_at.between(now - LAST_DAY, now - UNFINISHED_AFTER)
    query = select(events.c.customer_id, func.count()).where(OPEN, late, ~BY_DESIGN).group_by(events.c.customer_id)
    with engine.connect() as connection:
        return {customer_id: int(count) for customer_id, count in connection.execute(query)}
