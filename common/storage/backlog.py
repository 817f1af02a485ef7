"""How many events of a customer wait."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from common.storage.tables import OPEN, events


class PostgresBacklog:
    """Implements `common.domain.backlog.Backlog`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_events(self, customer_id: str, at_most: int) -> int:
        some = select(events.c.event_id).where(events.c.customer_id == customer_id, OPEN).limit(at_most).subquery()
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(some)).scalar_one())
