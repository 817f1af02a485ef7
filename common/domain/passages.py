"""Passages: how a worker goes through a breaker. Ask for a permit, watch each request, and tell what it says.

Where all is well this costs one look at a table that has no row, and no write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self, TypeVar

from common.domain.breakers import CLOSED, Admission, Breaker, BreakerState, Effect, admission, effect_of
from common.domain.clock import Clock
from common.domain.customers import System
from common.domain.errors import BreakerOpen, CredentialsBlocked

T = TypeVar("T")

#: While a probe is out, others ask again after this: it mostly ends within one request, and a look is cheap.
PROBE_RECHECK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Permit:
    """One caller may ask one system of one customer, now."""

    customer_id: str
    system: System
    #: Set: the caller is the probe, and counts as lost at this moment.
    probe: datetime | None = None
    #: Nothing is stored, so that a success needs no word.
    clean: bool = True


class Breakers(Protocol):
    """The breakers of all customers, over all processes. Closed ones without a failure are not stored."""

    def admit(self, customer_id: str, system: System, now: datetime) -> Permit:
        """Raises BreakerOpen while nobody may ask, CredentialsBlocked until they are verified.

        Of all who ask an open breaker whose time has come, exactly one gets the probe's permit.
        """
        ...

    def succeeded(self, permit: Permit, now: datetime) -> None:
        """The system answered."""
        ...

    def failed(self, permit: Permit, reason: str, now: datetime) -> Breaker:
        """The system is in trouble; returns the breaker as it is now."""
        ...

    def returned(self, permit: Permit, now: datetime) -> None:
        """A probe's permit was not used."""
        ...

    def block(self, customer_id: str, system: System, reason: str, now: datetime) -> None:
        """The system does not accept the customer's credentials."""
        ...

    def unblock(self, customer_id: str, system: System) -> bool:
        """A verification succeeded: closed, whatever it was. True if it was blocked."""
        ...

    def retry(self, customer_id: str, now: datetime) -> None:
        """A person wants it tried: what is open may be probed at once. Blocked stays blocked."""
        ...

    def of(self, customer_id: str) -> Mapping[System, Breaker]:
        """Those of a customer that are not as new."""
        ...


class Passage:
    """A slice's or a run's way through one breaker. A context manager: a probe that has asked nothing is given back."""

    def __init__(self, breakers: Breakers, clock: Clock, permit: Permit) -> None:
        self._breakers = breakers
        self._clock = clock
        self._permit = permit
        self.is_probe = permit.probe is not None
        #: Set when a failure that was watched has opened the breaker: nobody asks before.
        self.opened_until: datetime | None = None
        #: A rejection that was watched has blocked it.
        self.is_blocked = False
        #: What the last failure or rejection said.
        self.reason = ""
        #: The last failure came while the system was failing already: nothing it answered lies in between.
        self.is_outage = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._permit.probe is not None:
            self._breakers.returned(self._permit, self._clock.now())

    def watch(self, ask: Callable[[], T], *, proves: bool = True) -> T:
        """What `ask` returns or raises; the breaker is told first.

        `proves`: that it returns shows the system at work. False for what may get by without a request.
        """
        try:
            answer = ask()
        except Exception as error:
            self._tell(effect_of(error), str(error))
            raise
        if proves:
            self._tell(Effect.ANSWERED, "")
        return answer

    def _tell(self, effect: Effect, reason: str) -> None:
        now, self.reason = self._clock.now(), reason or self.reason
        if effect is Effect.ANSWERED and not self._permit.clean:
            self._breakers.succeeded(self._permit, now)
            self._permit = replace(self._permit, probe=None, clean=True)
        elif effect is Effect.FAILED:
            self.is_outage = not self._permit.clean
            self.opened_until = self._breakers.failed(self._permit, reason, now).opened_until
            self._permit = replace(self._permit, probe=None, clean=False)
        elif effect is Effect.REJECTED:
            self._breakers.block(self._permit.customer_id, self._permit.system, reason, now)
            self._permit, self.is_blocked = replace(self._permit, probe=None), True


def passing(breakers: Breakers, clock: Clock, customer_id: str, system: System) -> Passage:
    """Raises what `Breakers.admit` raises."""
    return Passage(breakers, clock, breakers.admit(customer_id, system, clock.now()))


def permit_of(breaker: Breaker, customer_id: str, system: System, now: datetime) -> Permit | None:
    """The permit of somebody who asks, or None: it may become the probe. Raises as `Breakers.admit`."""
    told = admission(breaker, now)
    if told is Admission.BLOCKED:
        raise CredentialsBlocked(breaker.reason)
    if told is Admission.WAIT and breaker.probe_at is not None:
        raise BreakerOpen(_waits(breaker, customer_id, system), until=_asks_again(breaker, breaker.probe_at, now))
    if told is Admission.PROBE:
        return None
    return Permit(customer_id=customer_id, system=system, clean=breaker == CLOSED)


def _asks_again(breaker: Breaker, probe_at: datetime, now: datetime) -> datetime:
    if breaker.state is BreakerState.OPEN:
        return probe_at
    return min(probe_at, now + timedelta(seconds=PROBE_RECHECK_SECONDS))


def _waits(breaker: Breaker, customer_id: str, system: System) -> str:
    if breaker.state is BreakerState.HALF_OPEN:
        return f"customer {customer_id}: one request finds out whether the {system} is back"
    return f"customer {customer_id}: the {system} is in trouble: {breaker.reason}"
