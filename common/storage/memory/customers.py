"""The twin of `common.storage.customers`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.domain.clock import Clock
from common.domain.customers import Customer, CustomerStatus
from common.domain.errors import CustomerInvalid


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a person did."""

    customer_id: str
    at: datetime
    actor: str
    action: str
    detail: str


class MemoryCustomerStore:
    """Implements `common.domain.stores.CustomerStore`, and what the command line needs besides."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._customers: dict[str, Customer] = {}
        self._notes: list[Note] = []

    def get(self, customer_id: str) -> Customer:
        with self._lock:
            found = self._customers.get(customer_id)
        if found is None:
            raise CustomerInvalid(customer_id, "customer_id", "there is no such customer; see `fleet customers list`")
        return found

    def all(self) -> Sequence[Customer]:
        with self._lock:
            return [self._customers[customer_id] for customer_id in sorted(self._customers)]

    def add(self, customer: Customer) -> None:
        """Raises CustomerInvalid if the id is taken. A customer never starts parked."""
        with self._lock:
            if customer.customer_id in self._customers:
                raise CustomerInvalid(customer.customer_id, "customer_id", "is taken; choose another")
            self._customers[customer.customer_id] = replace(customer, parked_until=None, parked_reason="")

    def pause(self, customer_id: str, reason: str, *, until: datetime | None = None) -> None:
        def paused(customer: Customer) -> Customer:
            if customer.status is CustomerStatus.OFFBOARDED or (until is not None and not customer.is_active):
                return customer
            return replace(customer, status=CustomerStatus.PAUSED, status_reason=reason, paused_until=until)

        self._change(customer_id, paused)

    def pause_applying(self, customer_id: str, reason: str) -> None:
        def paused(customer: Customer) -> Customer:
            is_over = customer.status is CustomerStatus.OFFBOARDED
            return customer if is_over else replace(customer, applying_paused=reason)

        self._change(customer_id, paused)

    def resume(self, customer_id: str) -> None:
        """Active again, and no longer parked."""
        self._change(customer_id, lambda customer: replace(_resumed(customer), applying_paused=""))

    def end_pauses(self, now: datetime) -> Sequence[Customer]:
        """Resume those whose pause was to end by itself, and has; returns them."""
        with self._lock:
            over = [c for c in self._customers.values() if _is_over(c, now)]
            ended = {customer.customer_id: _resumed(customer) for customer in over}
            self._customers.update(ended)
        return list(ended.values())

    def park(self, customer_id: str, until: datetime, reason: str) -> None:
        def parked(customer: Customer) -> Customer:
            if customer.parked_until is not None and customer.parked_until >= until:
                return customer
            return replace(customer, parked_until=until, parked_reason=reason)

        self._change(customer_id, parked)

    def note(self, customer_id: str, *, actor: str, action: str, detail: str = "") -> None:
        """Record what a person did."""
        at = self._clock.now()
        with self._lock:
            self._notes.append(Note(customer_id=customer_id, at=at, actor=actor, action=action, detail=detail))

    @property
    def notes(self) -> Sequence[Note]:
        with self._lock:
            return list(self._notes)

    def _change(self, customer_id: str, change: Callable[[Customer], Customer]) -> None:
        with self._lock:
            if customer_id in self._customers:
                self._customers[customer_id] = change(self._customers[customer_id])


def _resumed(customer: Customer) -> Customer:
    return replace(
        customer,
        status=CustomerStatus.ACTIVE,
        status_reason="",
        paused_until=None,
        parked_until=None,
        parked_reason="",
    )


def _is_over(customer: Customer, now: datetime) -> bool:
    return not customer.is_active and customer.paused_until is not None and customer.paused_until <= now
