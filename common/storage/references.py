"""What accounts were found to have or allow, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.postgresql import insert

from common.storage.engine import reading
from common.storage.identity_tables import reference_cache


class PostgresReferenceCache:
    """Implements `common.domain.references.ReferenceCache`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def get(self, customer_id: str, name: str, *, not_before: datetime) -> Any | None:
        query = (
            select(reference_cache.c.value)
            .filter_by(customer_id=customer_id, name=name)
            .where(reference_cache.c.fetched_at >= not_before)
        )
        with self._reads.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def put(self, customer_id: str, name: str, value: Any, now: datetime) -> None:
        statement = insert(reference_cache).values(customer_id=customer_id, name=name, value=value, fetched_at=now)
        later = statement.on_conflict_do_update(
            index_elements=[reference_cache.c.customer_id, reference_cache.c.name],
            set_={"value": statement.excluded.value, "fetched_at": statement.excluded.fetched_at},
            where=reference_cache.c.fetched_at <= statement.excluded.fetched_at,
        )
        with self._engine.begin() as connection:
            connection.execute(later)

    def forget(self, customer_id: str, name: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(reference_cache).filter_by(customer_id=customer_id, name=name))
