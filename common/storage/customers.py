"""The customers table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, case, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.clock import Clock, SystemClock
from common.domain.customers import Customer, CustomerStatus, Lane, Tier
from common.domain.errors import CustomerInvalid
from common.storage.engine import make_engine
from common.storage.tables import audit, checkpoints, credentials, customers, data_keys


@dataclass(frozen=True, kw_only=True)
class Note:
    """One line of the audit table: what a person did."""

    at: datetime
    actor: str
    action: str
    detail: str


class PostgresCustomerStore:
    """Implements `common.domain.stores.CustomerStore`, and what the command line needs besides."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def get(self, customer_id: str) -> Customer:
        with self._engine.connect() as connection:
            row = connection.execute(select(customers).where(customers.c.customer_id == customer_id)).one_or_none()
        if row is None:
            raise CustomerInvalid(customer_id, "customer_id", "there is no such customer; see `fleet customers list`")
        return _customer(row)

    def all(self) -> Sequence[Customer]:
        with self._engine.connect() as connection:
            return [_customer(row) for row in connection.execute(select(customers).order_by(customers.c.customer_id))]

    def add(self, customer: Customer) -> None:
        """Raises CustomerInvalid if the id is taken."""
        with self._engine.begin() as connection:
            _insert(connection, customer, self._clock.now())

    def add_with_tokens(
        self, customer: Customer, *, wrapped_key: tuple[bytes, str], ciphertexts: Mapping[str, bytes], actor: str
    ) -> None:
        """Customer, data key (wrapped, and by which master key), tokens by system, and who did it: all or nothing.

        Raises CustomerInvalid if the id is taken.
        """
        now, key = self._clock.now(), {"customer_id": customer.customer_id}
        wrapped, master_key_id = wrapped_key
        tokens = [
            {**key, "system": system, "ciphertext": sealed, "updated_at": now} for system, sealed in ciphertexts.items()
        ]
        with self._engine.begin() as connection:
            _insert(connection, customer, now)
            connection.execute(
                insert(data_keys).values(**key, wrapped_key=wrapped, master_key_id=master_key_id, created_at=now)
            )
            connection.execute(insert(credentials).values(tokens))
            connection.execute(insert(audit).values(**key, at=now, actor=actor, action="customer.added"))

    def pause(self, customer_id: str, reason: str) -> None:
        self._set(customer_id, status=CustomerStatus.PAUSED, status_reason=reason)

    def resume(self, customer_id: str) -> None:
        """Active again, no longer parked, and free to go on with a run that was put off."""
        with self._engine.begin() as connection:
            connection.execute(
                update(checkpoints)
                .where(checkpoints.c.customer_id == customer_id, checkpoints.c.continue_at.is_not(None))
                .values(continue_at=self._clock.now())
            )
        self._set(customer_id, status=CustomerStatus.ACTIVE, status_reason="", parked_until=None, parked_reason="")

    def park(self, customer_id: str, until: datetime, reason: str) -> None:
        later = customers.c.parked_until.is_(None) | (customers.c.parked_until < until)
        self._set(
            customer_id,
            parked_until=case((later, until), else_=customers.c.parked_until),
            parked_reason=case((later, reason), else_=customers.c.parked_reason),
        )

    def note(self, customer_id: str, *, actor: str, action: str, detail: str = "") -> None:
        """Record what a person did."""
        row = {"customer_id": customer_id, "at": self._clock.now(), "actor": actor, "action": action, "detail": detail}
        with self._engine.begin() as connection:
            connection.execute(insert(audit).values(row))

    def notes(self, customer_id: str, limit: int = 20) -> Sequence[Note]:
        """What people did to a customer, the latest first."""
        query = select(audit.c.at, audit.c.actor, audit.c.action, audit.c.detail)
        query = query.where(audit.c.customer_id == customer_id).order_by(audit.c.audit_id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [Note(**row) for row in connection.execute(query).mappings()]

    def _set(self, customer_id: str, **changes: Any) -> None:
        statement = update(customers).where(customers.c.customer_id == customer_id)
        with self._engine.begin() as connection:
            connection.execute(statement.values(updated_at=self._clock.now(), **changes))


def _insert(connection: Connection, customer: Customer, now: datetime) -> None:
    row = {**_row(customer), "created_at": now, "updated_at": now}
    added = connection.execute(
        insert(customers).values(row).on_conflict_do_nothing().returning(customers.c.customer_id)
    )
    if added.one_or_none() is None:
        raise CustomerInvalid(customer.customer_id, "customer_id", "is taken; choose another")


def _customer(row: Any) -> Customer:
    return Customer(
        customer_id=row.customer_id,
        name=row.name,
        tier=Tier(row.tier),
        lane=Lane(row.lane),
        status=CustomerStatus(row.status),
        status_reason=row.status_reason,
        parked_until=row.parked_until,
        parked_reason=row.parked_reason,
        time_zone=row.time_zone,
        region=row.region,
        poll_interval_seconds=row.poll_interval_seconds,
        source=row.source,
        destination=row.destination,
        source_settings=row.source_settings,
        destination_settings=row.destination_settings,
    )


def _row(customer: Customer) -> dict[str, Any]:
    names = (
        "customer_id", "name", "tier", "lane", "status", "status_reason", "time_zone", "region",
        "poll_interval_seconds", "source", "destination",
    )  # fmt: skip
    return {
        **{name: getattr(customer, name) for name in names},
        "source_settings": dict(customer.source_settings),
        "destination_settings": dict(customer.destination_settings),
    }


def open_customers(database_url: str, *, name: str) -> PostgresCustomerStore:
    """The store alone, for a process that needs nothing else."""
    return PostgresCustomerStore(make_engine(database_url, connections=1, name=name), SystemClock())
