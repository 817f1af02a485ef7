"""The throttles table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, func, select, union
from sqlalchemy.dialects.postgresql import insert

from common.domain.customers import Lane
from common.domain.throttles import Throttle
from common.storage.tables import customers, throttles

#: Held by whoever tells the brake: the word in ASCII, which is 64 bits.
TELLING = int.from_bytes(b"throttle", "big")


class PostgresThrottles:
    """Implements `common.domain.throttles.Throttles`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set(self, throttle: Throttle) -> None:
        row = {
            "system": throttle.system, "lane": throttle.lane or "", "fraction": throttle.fraction,
            "reason": throttle.reason, "actor": throttle.actor, "set_at": throttle.set_at,
        }  # fmt: skip
        statement = insert(throttles).values(row)
        with self._engine.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=[throttles.c.system, throttles.c.lane], set_=row)
            )

    def all(self) -> Sequence[Throttle]:
        with self._engine.connect() as connection:
            return _read(connection)

    def tell(self, obey: Callable[[Sequence[Throttle]], None], *, wait: bool = True) -> None:
        with self._engine.begin() as connection:
            if wait:
                connection.execute(select(func.pg_advisory_xact_lock(TELLING)))
            elif not connection.execute(select(func.pg_try_advisory_xact_lock(TELLING))).scalar_one():
                return  # somebody is at it, or was stopped while at it: the next sweep comes soon
            obey(_read(connection))

    def systems(self) -> Sequence[str]:
        """Names that customers use, and those that are throttled."""
        names = union(select(customers.c.source), select(customers.c.destination), select(throttles.c.system))
        with self._engine.connect() as connection:
            return sorted(connection.execute(names).scalars())


def _read(connection: Connection) -> Sequence[Throttle]:
    query = select(throttles).order_by(throttles.c.system, throttles.c.lane)
    return [_throttle(row) for row in connection.execute(query)]


def _throttle(row: Any) -> Throttle:
    return Throttle(
        system=row.system,
        lane=Lane(row.lane) if row.lane else None,
        fraction=row.fraction,
        reason=row.reason,
        actor=row.actor,
        set_at=row.set_at,
    )
