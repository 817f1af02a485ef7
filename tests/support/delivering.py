"""The processor's slice on twins, with a destination that fails on order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from common.domain.clock import ManualClock
from common.domain.entities import EntityKey
from common.domain.errors import RecordInvalid, RecordRefused
from common.domain.people import Person
from common.domain.resources import USERS
from common.domain.retry import AT_ONCE, Confirmation
from common.domain.runs import RunState
from common.domain.writes import Answer, Applied, Found, Matched, NeedsReview, Preview, Submitted, Write
from common.metrics.catalogue import Metrics
from common.storage.memory.batches import MemoryBatches
from common.storage.memory.breakers import MemoryBreakers
from common.storage.memory.customers import MemoryCustomerStore
from common.storage.memory.delivery import MemoryDeliveryStore
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.letters import MemoryLetters
from common.storage.memory.locks import LockServer, MemoryLocks
from common.storage.memory.tables import EventRow, MemoryTables
from processor.delivery import deliver
from processor.slices import SliceParts
from support.builders import NOW, a_broken_record, a_customer, a_page, a_record, an_event


@dataclass
class PretendedDestination:
    """Implements `Destination` in memory. Every create makes one more contact, so that a double shows."""

    size: int = 100
    #: Creates are accepted and shown only after `release`.
    holds: bool = False
    #: Updates go with others, and are held too if creates are.
    shares_updates: bool = False
    visibility_seconds: float = 0.0
    settle_seconds: float = 30.0
    confirmation: Confirmation = AT_ONCE
    contacts: dict[EntityKey, list[Person]] = field(default_factory=dict)
    archived: set[EntityKey] = field(default_factory=set)
    #: What is answered for a source id instead, nothing being done; once each, in order.
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    held: list[Write] = field(default_factory=list)
    #: What was asked: ("create" | "update" | "look", source ids).
    requests: list[tuple[str, list[str]]] = field(default_factory=list)
    #: For the next requests to `apply`, in order: an error, and whether it happened all the same. None: no failure.
    failures: list[tuple[Exception, bool] | None] = field(default_factory=list)
    look_failures: list[Exception] = field(default_factory=list)
    #: Source ids whose presence has any request refused.
    poison: set[str] = field(default_factory=set)
    #: Versions in the order in which they arrived.
    landed: list[tuple[str, int]] = field(default_factory=list)

    def check(self, write: Write) -> None:
        if isinstance(write.desired, Person) and not write.desired.last_name:
            raise RecordInvalid(write.entity.customer_id, write.entity.resource, "last_name", "fill it in")

    def group(self, write: Write) -> str:
        return write.operation

    def group_limit(self, write: Write) -> int:
        return self.size if write.link is None or self.shares_updates else 1

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        self.requests.append((writes[0].operation, [write.entity.source_id for write in writes]))
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None and not failure[1]:
            raise failure[0]
        if self.poison & {write.entity.source_id for write in writes}:
            raise RecordRefused("refused: 422", reason="http_422", field="email", status=422, detail="said so")
        answers = [self._apply(write) for write in writes]
        if failure is not None:
            raise failure[0]
        return answers

    def _apply(self, write: Write) -> Answer:
        if self.answers.get(write.entity.source_id):
            return self.answers[write.entity.source_id].pop(0)
        if self.holds and (write.link is None or self.shares_updates):
            self.held.append(write)
            return Submitted()
        if write.is_removal:
            return self._archive(write)
        self.archived.discard(write.entity)
        own = self.contacts.setdefault(write.entity, [])
        changed = write.link is None or own[:1] != [write.desired]
        if write.link is None:
            own.append(write.desired)
        else:
            own[:1] = [write.desired]
        self.landed.append((write.entity.source_id, write.version))
        return Applied(destination_id=f"d{write.entity.source_id}", details={}, changed=changed)

    def _archive(self, write: Write) -> Answer:
        assert write.link is not None, "nothing of ours is there"
        changed = write.entity not in self.archived
        self.archived.add(write.entity)
        self.landed.append((write.entity.source_id, write.version))
        return Applied(destination_id=write.link.destination_id, details={}, changed=changed)

    def release(self) -> None:
        """What is held becomes visible: an update in the place of what was there."""
        for write in self.held:
            own = self.contacts.setdefault(write.entity, [])
            own[: 0 if write.link is None else 1] = [write.desired]
            self.landed.append((write.entity.source_id, write.version))
        self.held.clear()

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        del since
        entities = [write.entity for write in writes]
        self.requests.append(("look", [entity.source_id for entity in entities]))
        if self.look_failures:
            raise self.look_failures.pop(0)
        return {
            entity: Found(destination_id=f"d{entity.source_id}", details={}, current=self.contacts[entity][0].to_body())
            for entity in entities
            if self.contacts.get(entity)
        }

    def differs(self, write: Write, found: Found) -> bool:
        if write.is_removal:
            return write.entity not in self.archived
        return write.desired.to_body() != found.current

    def missing_fields(self, resource: str, names: Sequence[str]) -> Sequence[str]:
        del resource, names
        return []

    def find(self, resource: str, destination_id: str) -> Found | None:
        del resource, destination_id
        return None

    def preview(self, write: Write) -> Sequence[Preview]:
        return [Preview(method="POST", route="/pretended", body=write.desired.to_body())]

    def of(self, kind: str) -> list[list[str]]:
        return [ids for name, ids in self.requests if name == kind]


class ProcessorRig:
    """One processor's worth of product on twins, and an outbox to fill."""

    def __init__(self, destination: PretendedDestination | None = None, *, partitions: int = 1, **changes: Any) -> None:
        self.clock = ManualClock(NOW)
        self.tables = MemoryTables()
        self.customers = MemoryCustomerStore(self.clock)
        self.customers.add(a_customer())
        self.server = LockServer()
        self.locks = MemoryLocks(self.server)
        self.destination = destination or PretendedDestination()
        self.breakers = MemoryBreakers()
        self.letters = MemoryLetters(self.tables)
        self.batches = MemoryBatches(self.tables, self.customers.get)
        self.detection = MemoryDetectionStore(self.tables, partitions=partitions)
        self._runs = itertools.count(1)
        ids = itertools.count(1)
        base = {
            "store": MemoryDeliveryStore(self.tables), "customers": self.customers, "locks": self.locks,
            "breakers": self.breakers,
            "clock": self.clock, "metrics": Metrics(CollectorRegistry()), "new_id": lambda: f"w{next(ids)}",
            "random_unit": lambda: 0.0, "open_destination": lambda _customer, _share: self.destination,
            "slice_events": 200, "slice_seconds": 30.0, "dead_letter_limit": 100,
            "batch_size": lambda _customer: self.destination.size, "baselines": self.batches.baselines,
        }  # fmt: skip
        self.parts = SliceParts(**{**base, **changes})

    def detect(self, *source_ids: str, broken: Sequence[str] = (), **person: Any) -> None:
        """Events for these records, all with the same values."""
        run_id, now = f"run{next(self._runs)}", self.clock.now()
        start = self.detection.start_run(customer_id="acme", resource=USERS, run_id=run_id, trace_id="t", now=now)
        records = [a_record(source_id, at=now, **person) for source_id in source_ids]
        letters = tuple(a_broken_record(source_id) for source_id in broken)
        self.detection.save_page(a_page(start.progress, *records, broken=letters, now=now), start.progress)
        self.detection.finish_run("acme", USERS, run_id, state=RunState.COMPLETED, position=None, error="", now=now)

    def put(self, entity: EntityKey, *, version: int, partition: int = 0, **changes: Any) -> None:
        """An event of any resource and action, straight into the outbox."""
        now, event_id = self.clock.now(), self.tables.next_event_id()
        event = an_event(
            event_id, entity=entity, version=version, partition=partition,
            **{"detected_at": now, "occurred_at": now, **changes},
        )  # fmt: skip
        with self.tables.transaction() as rows:
            rows.insert_event(EventRow(event=event, retry_at=now))

    def deliver(self) -> bool:
        """As the task does: nothing of a customer that is parked or paused."""
        customer = self.customers.get("acme")
        if customer.is_parked(self.clock.now()) or not customer.may_be_applied:
            return False
        return deliver(self.parts, customer)

    def deliver_all(self) -> None:
        """Deliver until nothing is due now."""
        while self.deliver():
            pass

    def settle(self) -> None:
        """Deliver while time passes, from one due moment to the next, until every event has ended."""
        for _ in range(500):
            self.deliver_all()
            if not self.open_events():
                return
            self.clock.advance(self._seconds_to_the_next())
        raise AssertionError(f"never settled: {self.states()}")

    def settle_until(self, moment: datetime) -> None:
        """The same, but no longer than that."""
        self.deliver_all()
        while self.open_events() and self.clock.now() < moment:
            left = (moment - self.clock.now()).total_seconds()
            self.clock.advance(min(self._seconds_to_the_next(), left))
            self.deliver_all()

    def _seconds_to_the_next(self) -> float:
        now, parked_until = self.clock.now(), self.customers.get("acme").parked_until
        if parked_until is not None and parked_until > now:
            return (parked_until - now).total_seconds()
        later = [row.retry_at for row in self.tables.rows.events.values() if row.is_open and row.retry_at > now]
        return (min(later) - now).total_seconds() if later else 1

    def open_events(self) -> int:
        states = self.states()
        return states.get("pending", 0) + states.get("submitted", 0)

    def states(self) -> dict[str, int]:
        return {str(state): count for state, count in self.tables.events_by_state("acme").items()}

    def attempts(self) -> list[int]:
        return [event.attempts for event in self.tables.events]

    def change_events(self, **changes: Any) -> None:
        """Give every event fields that this release never writes."""
        with self.tables.transaction() as rows:
            for event_id, row in rows.events.items():
                rows.events[event_id] = replace(row, event=replace(row.event, **changes))
