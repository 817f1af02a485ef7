"""A nightly customer's hub: the night, the gate and both workers' tasks, on real servers, with time by hand.

What Redis and Celery would carry is carried at once: a probe that is asked for is made, and a run that is due is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from common.domain.clock import ManualClock
from common.domain.customers import Customer, Mode
from common.domain.layers import Layer
from common.domain.nights import Night
from common.storage.night_truth import PostgresNightTruth
from poller.nights import NightParts, NightPolicy, advance
from poller.probing import probe_source
from poller.tasks import poll_customer
from processor.probing import note_destination
from processor.tasks import deliver_to
from support.hub import Hub

FIRST_NIGHT = date(2026, 1, 1)
#: As the settings have it.
WINDOW = timedelta(hours=6)


@dataclass
class PutBack:
    """Stands where the queue does: remembers what was put back, and until when."""

    until: list[datetime] = field(default_factory=list)

    def put_back(self, _customer_id: str, _lane: Any, until: datetime) -> None:
        self.until.append(until)

    def park(self, _customer_id: str, _lane: Any, until: datetime) -> None:
        self.until.append(until)

    def publish(self, *_: Any, **__: Any) -> None:
        return


class NightRig:
    """One nightly customer. `clock` is the hub's."""

    def __init__(self, hub: Hub, clock: ManualClock, customer: Customer, *, resources: tuple[str, ...] = ("users",)):
        self.hub, self.clock, self.name = hub, clock, customer.customer_id
        hub.customers.change(replace(customer, mode=Mode.NIGHTLY))
        self.queue = PutBack()
        self.announced: list[str] = []
        self.resources = resources
        self.parts = self.parts_of(hub)

    def parts_of(self, hub: Hub) -> NightParts:
        """Of another worker."""
        return NightParts(
            store=hub.nights,
            truth=PostgresNightTruth(hub.engine),
            customers=hub.customers,
            breakers=hub.breakers,
            locks=hub.locks,
            clock=hub.clock,
            random_unit=lambda: 0.0,
            policy=NightPolicy(),
            resources=lambda _: self.resources,
            probe_source=lambda customer: probe_source(hub.run_parts, customer),
            ask_destination=lambda customer: note_destination(hub.slice_parts, hub.nights, customer),
            announce=lambda customer: self.announced.append(customer.customer_id),
            next_slot=lambda _, now: now + timedelta(days=1),
        )

    @property
    def customer(self) -> Customer:
        return self.hub.customers.get(self.name)

    @property
    def night(self) -> Night:
        found = self.hub.nights.find(self.name, None)
        assert found is not None
        return found

    def claim(self, days: int = 0) -> bool:
        return self.hub.nights.claim(self.name, FIRST_NIGHT + timedelta(days=days), self.clock.now())

    def message(self, layer: Layer = Layer.NIGHTLY, resources: tuple[str, ...] | None = None) -> None:
        """As the poller's task."""
        hub = self.hub
        poller = SimpleNamespace(
            customers=hub.customers, nights=self.parts, plans=hub.plans, run_parts=hub.run_parts,
            resources=lambda _: self.resources,
        )  # fmt: skip
        poll_customer(poller, self.name, layer, resources)

    def deliver(self, rounds: int = 50) -> None:
        """As the processor's task, while there is something to do."""
        hub = self.hub
        processor = SimpleNamespace(
            clock=hub.clock, metrics=hub.metrics, customers=hub.customers, slice_parts=hub.slice_parts,
            deliveries=self.queue, nights=hub.nights,
            linger=SimpleNamespace(until=lambda *_: None),
        )  # fmt: skip
        for _ in range(rounds):
            before = hub.states(self.name)
            deliver_to(processor, self.name)
            if hub.states(self.name) == before:
                return

    def turn(self) -> None:
        """What a sweep and its workers do in a few seconds."""
        self.message()
        self.deliver()

    def reach(self, phase: str) -> None:
        """Up to the beginning of a phase: nothing is read, or nothing is applied yet."""
        self.advance() if phase == "read" else self.message()
        assert self.night.phase == phase

    def sleep_until(self, *, phase: str | None = None, rounds: int = 60, step: float = 15.0) -> Night:
        """Turn until the night is over, or at a phase."""
        for _ in range(rounds):
            self.turn()
            night = self.night
            if not night.is_open or night.phase == phase:
                return night
            self.clock.advance(step)
        raise AssertionError(f"the night is still at {self.night.phase}: {self.hub.states(self.name)}")

    def whole_night(self, days: int = 0) -> Night:
        assert self.claim(days)
        return self.sleep_until()

    def cut_short(self, days: int = 0) -> Night:
        """A night that is as its first minutes are until its deadline comes."""
        assert self.claim(days)
        self.sleep_until(phase="apply")
        self.turn()
        self.clock.advance(WINDOW.total_seconds())
        self.message()
        assert not self.night.is_open
        return self.night

    def advance(self) -> Night | None:
        return advance(self.parts, self.name)
