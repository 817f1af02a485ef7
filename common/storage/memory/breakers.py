"""The twin of the breakers table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock

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

Key = tuple[str, System]


class MemoryBreakers:
    """Implements `common.domain.passages.Breakers`."""

    def __init__(self, policy: BreakerPolicy | None = None, random_unit: Callable[[], float] = lambda: 0.0) -> None:
        self._policy = policy or BreakerPolicy()
        self._random_unit = random_unit
        self._lock = Lock()
        self._rows: dict[Key, Breaker] = {}

    def admit(self, customer_id: str, system: System, now: datetime) -> Permit:
        with self._lock:
            breaker = self._rows.get((customer_id, system), CLOSED)
            permit = permit_of(breaker, customer_id, system, now)
            if permit is not None:
                return permit
            out = self._rows[customer_id, system] = probing(breaker, now, self._policy)
        return Permit(customer_id=customer_id, system=system, probe=out.probe_at, clean=False)

    def succeeded(self, permit: Permit, now: datetime) -> None:  # noqa: ARG002 - the interface
        self._change(permit.customer_id, permit.system, lambda breaker: after_success(breaker, permit.probe))

    def failed(self, permit: Permit, reason: str, now: datetime) -> Breaker:
        unit = self._random_unit()

        def failing(breaker: Breaker) -> Breaker:
            return after_failure(
                breaker, permit.probe, reason=reason, now=now, policy=self._policy, random_unit=unit
            )  # fmt: skip

        return self._change(permit.customer_id, permit.system, failing)

    def returned(self, permit: Permit, now: datetime) -> None:
        self._change(permit.customer_id, permit.system, lambda breaker: after_return(breaker, permit.probe, now))

    def block(self, customer_id: str, system: System, reason: str, now: datetime) -> None:  # noqa: ARG002 - the interface
        self._change(customer_id, system, lambda _: blocked(reason))

    def unblock(self, customer_id: str, system: System) -> bool:
        with self._lock:
            return self._rows.pop((customer_id, system), CLOSED).state is BreakerState.BLOCKED

    def retry(self, customer_id: str, now: datetime) -> None:
        with self._lock:
            for key, breaker in self._rows.items():
                if key[0] == customer_id and breaker.state is BreakerState.OPEN:
                    self._rows[key] = replace(breaker, probe_at=now)

    def of(self, customer_id: str) -> Mapping[System, Breaker]:
        with self._lock:
            return {key[1]: breaker for key, breaker in self._rows.items() if key[0] == customer_id}

    def _change(self, customer_id: str, system: System, change: Callable[[Breaker], Breaker]) -> Breaker:
        key = customer_id, system
        with self._lock:
            after = change(self._rows.get(key, CLOSED))
            if after == CLOSED:
                self._rows.pop(key, None)
            else:
                self._rows[key] = after
        return after
