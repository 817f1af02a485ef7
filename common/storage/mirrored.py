"""The records that the mirror has of a resource, in steps."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Engine, func, select

from common.storage.engine import reading
from common.storage.tables import mirror


class PostgresMirror:
    """What commands ask of the mirror. Deleted records, and those that could not be read, are left out."""

    def __init__(self, engine: Engine) -> None:
        self._reads = reading(engine)

    def count(self, customer_id: str, resource: str) -> int:
        query = select(func.count()).select_from(mirror).where(*_readable(customer_id, resource))
        with self._reads.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def ids_after(self, customer_id: str, resource: str, last: str, limit: int) -> Sequence[str]:
        """The next source ids, in order of text."""
        query = (
            select(mirror.c.source_id)
            .where(*_readable(customer_id, resource), mirror.c.source_id > last)
            .order_by(mirror.c.source_id)
            .limit(limit)
        )
        with self._reads.connect() as connection:
            return list(connection.execute(query).scalars())


def _readable(customer_id: str, resource: str) -> tuple[ColumnElement[bool], ...]:
    is_broken = mirror.c.content_hash.like("broken:%")
    return (
        mirror.c.customer_id == customer_id,
        mirror.c.resource == resource,
        mirror.c.deleted_at.is_(None),
        ~is_broken,
    )
