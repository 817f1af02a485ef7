"""The breakers table. A row's lock makes a change one at a time over all processes: two callers never both probe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.breakers import (
    CLOSED,
    Breaker,
    BreakerPolicy,
    BreakerState,
    after_failure,
    after_return,
    after_success,
    blocked,
    probing,
)
from common.domain.customers import System
from common.domain.passages import Permit, permit_of
from common.storage.engine import reading
from common.storage.tables import breakers, customers

Change = Callable[[Breaker], Breaker]


class PostgresBreakers:
    """Implements `common.domain.passages.Breakers`."""

    def __init__(self, engine: Engine, policy: BreakerPolicy, random_unit: Callable[[], float]) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self._policy = policy
        self._random_unit = random_unit

    def admit(self, customer_id: str, system: System, now: datetime) -> Permit:
        with self._reads.connect() as connection:
            row = connection.execute(select(breakers).where(*_key(customer_id, system))).one_or_none()
        permit = permit_of(_breaker(row), customer_id, system, now)
        return permit or self._probe(customer_id, system, now)

    def _probe(self, customer_id: str, system: System, now: datetime) -> Permit:
        """Under the row's lock the answer may be another: somebody was faster."""
        with self._engine.begin() as connection:
            row = connection.execute(select(breakers).where(*_key(customer_id, system)).with_for_update())
            breaker = _breaker(row.one_or_none())
            permit = permit_of(breaker, customer_id, system, now)
            if permit is not None:
                return permit
            out = probing(breaker, now, self._policy)
            _write(connection, customer_id, system, out, now)
        return Permit(customer_id=customer_id, system=system, probe=out.probe_at, clean=False)

    def succeeded(self, permit: Permit, now: datetime) -> None:
        self._change(permit.customer_id, permit.system, now, lambda breaker: after_success(breaker, permit.probe))

    def failed(self, permit: Permit, reason: str, now: datetime) -> Breaker:
        unit = self._random_unit()

        def failing(breaker: Breaker) -> Breaker:
            return after_failure(
                breaker, permit.probe, reason=reason, now=now, policy=self._policy, random_unit=unit
            )  # fmt: skip

        return self._change(permit.customer_id, permit.system, now, failing)

    def returned(self, permit: Permit, now: datetime) -> None:
        self._change(permit.customer_id, permit.system, now, lambda breaker: after_return(breaker, permit.probe, now))

    def block(self, customer_id: str, system: System, reason: str, now: datetime) -> None:
        self._change(customer_id, system, now, lambda _: blocked(reason))

    def unblock(self, customer_id: str, system: System) -> bool:
        gone = delete(breakers).where(*_key(customer_id, system)).returning(breakers.c.state)
        with self._engine.begin() as connection:
            return connection.execute(gone).scalar_one_or_none() == BreakerState.BLOCKED

    def retry(self, customer_id: str, now: datetime) -> None:
        is_open = breakers.c.state == BreakerState.OPEN
        statement = update(breakers).where(breakers.c.customer_id == customer_id, is_open)
        with self._engine.begin() as connection:
            connection.execute(statement.values(probe_at=now, changed_at=now))

    def of(self, customer_id: str) -> Mapping[System, Breaker]:
        with self._reads.connect() as connection:
            return read_breakers(connection, customer_id).get(customer_id, {})

    def _change(self, customer_id: str, system: System, now: datetime, change: Change) -> Breaker:
        """Lock the row, making it if there is none, and put `change` of it in its place; returns that."""
        fresh = insert(breakers).values(customer_id=customer_id, system=system, state=CLOSED.state, changed_at=now)
        # An update that changes nothing takes the lock of a row that is there, in the same statement.
        taken = fresh.on_conflict_do_update(
            index_elements=[breakers.c.customer_id, breakers.c.system], set_={"system": fresh.excluded.system}
        )
        with self._engine.begin() as connection:
            before = _breaker(connection.execute(taken.returning(breakers)).one())
            after = change(before)
            if after == CLOSED:
                connection.execute(delete(breakers).where(*_key(customer_id, system)))
            elif after != before:
                _write(connection, customer_id, system, after, now)
        return after


def read_breakers(connection: Connection, customer_id: str | None = None) -> Mapping[str, Mapping[System, Breaker]]:
    """By customer, or one customer's: those that are not as new."""
    query = select(breakers).order_by(breakers.c.customer_id, breakers.c.system)
    if customer_id is not None:
        query = query.where(breakers.c.customer_id == customer_id)
    found: dict[str, dict[System, Breaker]] = {}
    for row in connection.execute(query):
        found.setdefault(row.customer_id, {})[System(row.system)] = _breaker(row)
    return found


def is_blocked(system: System) -> Any:
    """SQL: true of a row of `customers` whose credentials this system does not accept."""
    return exists().where(
        breakers.c.customer_id == customers.c.customer_id,
        breakers.c.system == system,
        breakers.c.state == BreakerState.BLOCKED,
    )


def _key(customer_id: str, system: System) -> tuple[Any, ...]:
    return breakers.c.customer_id == customer_id, breakers.c.system == system


def _write(connection: Connection, customer_id: str, system: System, breaker: Breaker, now: datetime) -> None:
    connection.execute(
        update(breakers)
        .where(*_key(customer_id, system))
        .values(
            state=breaker.state,
            failures=breaker.failures,
            openings=breaker.openings,
            reason=breaker.reason,
            probe_at=breaker.probe_at,
            changed_at=now,
        )
    )


def _breaker(row: Any) -> Breaker:
    if row is None:
        return CLOSED
    return Breaker(
        state=BreakerState(row.state),
        failures=row.failures,
        openings=row.openings,
        reason=row.reason,
        probe_at=row.probe_at,
    )
