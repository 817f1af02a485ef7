"""How large a customer is, counted in the mirror."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from common.domain.layers import Layer
from common.storage.engine import reading
from common.storage.tables import checkpoints, mirror

#: Bodies taken in one statement.
STEP = 500
#: What could not be read has no body.
BROKEN = "broken:%"


class PostgresSizes:
    """Implements `common.domain.sizes.Sizes`."""

    def __init__(self, engine: Engine) -> None:
        self._reads = reading(engine)

    def counts(self, customer_id: str) -> Mapping[str, int]:
        query = select(mirror.c.resource, func.count()).where(*_there(customer_id)).group_by(mirror.c.resource)
        with self._reads.connect() as connection:
            return {resource: int(count) for resource, count in connection.execute(query)}

    def bodies(self, customer_id: str, resource: str) -> Iterator[Mapping[str, Any]]:
        """By the primary key, so that all steps together read each row once; no session is held between two."""
        last: str | None = ""
        while last is not None:
            rows = self._after(customer_id, resource, last)
            yield from (row.body for row in rows)
            last = rows[-1].source_id if len(rows) == STEP else None

    def changed(self, customer_id: str, resource: str, since: datetime) -> int:
        """Records that have changed since then, as far as it was seen."""
        own = (*_there(customer_id), mirror.c.resource == resource, mirror.c.source_updated_at >= since)
        with self._reads.connect() as connection:
            return int(connection.execute(select(func.count()).where(*own)).scalar_one())

    def listed(self, customer_id: str) -> Collection[str]:
        query = (
            select(checkpoints.c.resource)
            .filter_by(customer_id=customer_id, layer=Layer.POLL)
            .where(checkpoints.c.position.is_not(None))
        )
        with self._reads.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    def _after(self, customer_id: str, resource: str, last: str) -> Sequence[Any]:
        query = (
            select(mirror.c.source_id, mirror.c.body)
            .where(*_there(customer_id), mirror.c.resource == resource, mirror.c.source_id > last)
            .order_by(mirror.c.source_id)
            .limit(STEP)
        )
        with self._reads.connect() as connection:
            return connection.execute(query).all()


def _there(customer_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        mirror.c.customer_id == customer_id,
        mirror.c.deleted_at.is_(None),
        mirror.c.content_hash.not_like(BROKEN),
    )
