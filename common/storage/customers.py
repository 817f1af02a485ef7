"""The customers table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.clock import Clock, SystemClock
from common.domain.customers import Customer, CustomerStatus, Lane, Mode, Tier
from common.domain.errors import CustomerInvalid
from common.storage.engine import make_engine, reading
from common.storage.night_tables import nights
from common.storage.tables import audit, checkpoints, credentials, customers, data_keys, revisions

#: What configuring a customer does not touch.
STATUS_COLUMNS = frozenset({"customer_id", "status", "status_reason"})


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
        self._reads = reading(engine)
        self._clock = clock

    def get(self, customer_id: str) -> Customer:
        with self._reads.connect() as connection:
            row = connection.execute(select(customers).where(customers.c.customer_id == customer_id)).one_or_none()
        if row is None:
            raise CustomerInvalid(customer_id, "customer_id", "there is no such customer; see `fleet customers list`")
        return _customer(row)

    def all(self) -> Sequence[Customer]:
        with self._reads.connect() as connection:
            return [_customer(row) for row in connection.execute(select(customers).order_by(customers.c.customer_id))]

    def served(self) -> Sequence[Customer]:
        """All but those that were offboarded."""
        return [customer for customer in self.all() if customer.status is not CustomerStatus.OFFBOARDED]

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

    def pause(self, customer_id: str, reason: str, *, until: datetime | None = None) -> None:
        # A pause that ends by itself must not take the place of what a person said.
        over = CustomerStatus.OFFBOARDED if until is None else CustomerStatus.PAUSED
        only_if = customers.c.status.in_({CustomerStatus.ACTIVE, CustomerStatus.PAUSED} - {over})
        self._set(customer_id, only_if, status=CustomerStatus.PAUSED, status_reason=reason, paused_until=until)

    def pause_applying(self, customer_id: str, reason: str) -> None:
        self._set(customer_id, customers.c.status != CustomerStatus.OFFBOARDED, applying_paused=reason)

    def change(self, customer: Customer) -> None:
        """Its configuration, as given; status and parking stay as they are."""
        configuration = {name: value for name, value in _row(customer).items() if name not in STATUS_COLUMNS}
        self._set(customer.customer_id, **configuration)

    def offboard(self, customer_id: str, reason: str) -> int:
        """Serve it no more, and delete its tokens; returns how many there were. Its history stays."""
        with self._engine.begin() as connection:
            connection.execute(
                update(customers)
                .where(customers.c.customer_id == customer_id)
                .values(
                    status=CustomerStatus.OFFBOARDED,
                    status_reason=reason,
                    paused_until=None,
                    parked_until=None,
                    parked_reason="",
                    updated_at=self._clock.now(),
                )
            )
            return connection.execute(delete(credentials).where(credentials.c.customer_id == customer_id)).rowcount

    def revision(self) -> int:
        """Raised by every change of a customer that is not about parking."""
        with self._reads.connect() as connection:
            return connection.execute(select(revisions.c.value)).scalar_one_or_none() or 0

    def changed_since(self, revision: int) -> Sequence[Customer]:
        """Those that were added or changed after it; ask for the revision first, then for these."""
        query = select(customers).where(customers.c.revision > revision)
        with self._reads.connect() as connection:
            return [_customer(row) for row in connection.execute(query)]

    def resume(self, customer_id: str) -> None:
        """Active again, no longer parked, no run or night counted as failed, free to go on with what was put off."""
        self._free_runs(customer_id)
        self._set(customer_id, applying_paused="")
        self._activate(customer_id)

    def end_pauses(self, now: datetime) -> Sequence[Customer]:
        """Resume those whose pause was to end by itself, and has; returns them."""
        over = (customers.c.status == CustomerStatus.PAUSED, customers.c.paused_until <= now)
        with self._reads.connect() as connection:
            ids = connection.execute(select(customers.c.customer_id).where(*over)).scalars().all()
        ended = [customer_id for customer_id in ids if self._activate(customer_id, *over)]
        for customer_id in ended:
            self._free_runs(customer_id)
        return [self.get(customer_id) for customer_id in ended]

    def _activate(self, customer_id: str, *only_if: ColumnElement[bool]) -> bool:
        return self._set(
            customer_id,
            *only_if,
            status=CustomerStatus.ACTIVE,
            status_reason="",
            paused_until=None,
            parked_until=None,
            parked_reason="",
        )

    def _free_runs(self, customer_id: str) -> None:
        own, now = checkpoints.c.customer_id == customer_id, self._clock.now()
        waiting = checkpoints.c.continue_at.is_not(None)
        with self._engine.begin() as connection:
            connection.execute(update(checkpoints).where(own, waiting).values(continue_at=now))
            connection.execute(update(checkpoints).where(own, checkpoints.c.failed_runs > 0).values(failed_runs=0))
            connection.execute(update(nights).where(nights.c.customer_id == customer_id).values(forgiven=True))

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
        with self._reads.connect() as connection:
            return [Note(**row) for row in connection.execute(query).mappings()]

    def _set(self, customer_id: str, *only_if: ColumnElement[bool], **changes: Any) -> bool:
        """False if there is no such customer, or it is not as `only_if` says."""
        statement = update(customers).where(customers.c.customer_id == customer_id, *only_if)
        with self._engine.begin() as connection:
            return connection.execute(statement.values(updated_at=self._clock.now(), **changes)).rowcount == 1


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
        applying_paused=row.applying_paused,
        paused_until=row.paused_until,
        parked_until=row.parked_until,
        parked_reason=row.parked_reason,
        time_zone=row.time_zone,
        region=row.region,
        poll_interval_seconds=row.poll_interval_seconds,
        cadences=row.cadences,
        mode=Mode(row.mode),
        backfill_hours=row.backfill_hours,
        source=row.source,
        destination=row.destination,
        source_settings=row.source_settings,
        destination_settings=row.destination_settings,
        mapping=row.mapping,
    )


def _row(customer: Customer) -> dict[str, Any]:
    names = (
        "customer_id", "name", "tier", "lane", "status", "status_reason", "time_zone", "region",
        "poll_interval_seconds", "mode", "backfill_hours", "source", "destination",
    )  # fmt: skip
    return {
        **{name: getattr(customer, name) for name in names},
        "cadences": dict(customer.cadences),
        "source_settings": dict(customer.source_settings),
        "destination_settings": dict(customer.destination_settings),
        "mapping": dict(customer.mapping),
    }


def open_customers(database_url: str, *, name: str) -> PostgresCustomerStore:
    """The store alone, for a process that needs nothing else."""
    return PostgresCustomerStore(make_engine(database_url, connections=1, name=name), SystemClock())
