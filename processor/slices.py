"""What the parts of a slice share: the customer, the lock, the collaborators, and how outcomes are recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from common.domain.batches import Baseline, unguarded
from common.domain.clock import Clock
from common.domain.customers import Customer
from common.domain.destinations import Destination
from common.domain.entities import EntityKey
from common.domain.events import FINAL_STATES, Event, EventState
from common.domain.limits import Share
from common.domain.nights import uncounted
from common.domain.passages import Breakers, Passage
from common.domain.stopping import never
from common.domain.stores import CustomerStore, DeliveryStore, Held, Locks
from common.domain.writes import EventOutcome, SliceOutcome
from common.metrics.catalogue import Metrics
from processor.attempts import Mark, of_refusals
from processor.guarding import Guarded

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SliceParts:
    """What a processor works with."""

    store: DeliveryStore
    customers: CustomerStore
    breakers: Breakers
    locks: Locks
    clock: Clock
    metrics: Metrics
    new_id: Callable[[], str]
    random_unit: Callable[[], float]
    open_destination: Callable[[Customer, Share], Destination]
    slice_events: int
    slice_seconds: float
    dead_letter_limit: int
    #: How many writes a request to a customer's destination carries at most; asked before it is opened.
    batch_size: Callable[[Customer], int]
    #: Of events that a batch has put to work: what it may not overwrite is compared with these.
    baselines: Callable[[str, Collection[int]], Mapping[int, Baseline]] = unguarded
    #: Called when a budget or a 429 makes the customer wait.
    note_pause: Callable[[Customer], None] = uncounted
    #: What our own storage raises when it is away: neither an error of the destination's nor a defect.
    outages: tuple[type[Exception], ...] = ()
    #: Whether the worker was asked to stop: what is left goes to another.
    is_stopping: Callable[[], bool] = never
    #: Host and process, for whoever asks where something was tried.
    worker: str = ""


@dataclass(kw_only=True)
class Slice:
    """One slice under way."""

    parts: SliceParts
    customer: Customer
    held: Held
    destination: Guarded
    share: Share
    #: Events of the slice by id, for metrics.
    events: Mapping[int, Event]
    passage: Passage
    deadline: float
    #: Bound to its log lines.
    slice_id: str = ""
    #: In [0, 1): whole fleets import at night, and each customer is looked at a little later than another.
    jitter: float = 0.0
    #: It finds out whether the destination is back: one batch, and the rest goes to the tail.
    is_probe: bool = False
    #: Set when the rest of the slice would fare no better: parked, paused, or the system is in trouble.
    stopped: bool = False
    dead_letters: int = field(default=0)

    @property
    def now(self) -> datetime:
        return self.parts.clock.now()

    @property
    def mark(self) -> Mark:
        return Mark(at=self.now, worker=self.parts.worker, slice_id=self.slice_id)

    @property
    def is_over(self) -> bool:
        return self.stopped or self.parts.is_stopping() or self.parts.clock.monotonic() > self.deadline

    def next_look(self, age_seconds: float) -> datetime:
        """When to look for what was submitted so long ago: together with what was then, and not with all customers."""
        seconds = self.destination.confirmation.delay_seconds(age_seconds)
        return self.now + timedelta(seconds=seconds * (1 + 0.1 * self.jitter))

    def record(self, outcome: SliceOutcome) -> None:
        """Commit, then count."""
        if outcome.is_empty:
            return
        attempts = (*outcome.attempts, *of_refusals(self.mark, self.events, outcome))
        self.parts.store.record(self.customer.customer_id, replace(outcome, attempts=attempts), self.now)
        for event in outcome.events:
            self._count(event)

    def _count(self, outcome: EventOutcome) -> None:
        self.dead_letters += outcome.refusal is not None
        if outcome.state not in FINAL_STATES:
            return
        event, metrics = self.events[outcome.event_id], self.parts.metrics
        metrics.events_ended.labels(self.customer.customer_id, outcome.state).inc()
        log.info("event ended", action="event.ended", state=outcome.state, **event.log_context())
        if outcome.state is EventState.APPLIED:
            age = (self.now - event.occurred_at).total_seconds()
            metrics.freshness.labels(self.customer.lane).observe(max(0.0, age))

    def stop(self) -> None:
        self.stopped = True

    def park(self, until: datetime, reason: str) -> None:
        """Because of a budget or a 429, for that is all that parks in a slice; an outage is the breaker's business."""
        log.info("customer parked", action="customer.parked", until=until.isoformat(), why=reason)
        self.parts.customers.park(self.customer.customer_id, until, reason)
        self.parts.note_pause(self.customer)
        self.stop()

    def pause(self, reason: str) -> None:
        log.error("customer paused", action="customer.paused", why=reason)
        self.parts.customers.pause(self.customer.customer_id, reason)
        self.stop()

    def pause_applying(self, reason: str) -> None:
        """Too much of it fails. What changes meanwhile is detected, and waits."""
        log.error("applying is paused", action="customer.applying_paused", why=reason)
        self.parts.customers.pause_applying(self.customer.customer_id, reason)
        self.stop()


def entities_of(events: Sequence[Event]) -> list[EntityKey]:
    """Each entity once, in order of first appearance."""
    return list(dict.fromkeys(event.entity for event in events))
