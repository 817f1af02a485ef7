"""Letters and batches over both implementations, and what makes some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from common.domain.batches import NewBatch
from common.domain.clock import ManualClock
from common.domain.events import EventState
from common.domain.writes import EventOutcome, Refusal, SliceOutcome
from common.storage.batches import PostgresBatches
from common.storage.customers import PostgresCustomerStore
from common.storage.dead_letters import PostgresDeadLetters
from common.storage.memory.batches import MemoryBatches
from common.storage.memory.customers import MemoryCustomerStore
from common.storage.memory.letters import MemoryLetters
from common.storage.memory.tables import MemoryTables
from support.builders import NOW, a_broken_record, a_customer, a_record


@dataclass
class Desk:
    """What an operator and a worker have."""

    storage: Any
    letters: Any
    batches: Any
    customers: Any

    def refuse(self, *source_ids, reason="http_422", field="email", now=NOW, customer_id="acme", run_id=None, **person):
        """Detect, and refuse what is due of it."""
        records = [a_record(source_id, at=now, **person) for source_id in source_ids]
        run_id = run_id or f"run{now.timestamp()}{''.join(source_ids)}{customer_id}"
        self.storage.detect(*records, run_id=run_id, customer_id=customer_id, now=now)
        return self.fail(*source_ids, reason=reason, field=field, now=now, customer_id=customer_id)

    def fail(self, *source_ids, reason="http_422", field="email", now=NOW, customer_id="acme"):
        """What is due of these is refused; gives the events."""
        due = self._due(source_ids, now, customer_id)
        refusal = Refusal(reason=reason, message="refused", field=field, status=422, detail="Fenmar was refused")
        ended = {"state": EventState.DEAD_LETTERED, "reason": reason, "attempts": 1, "refusal": refusal}
        ends = [EventOutcome(event_id=event.event_id, **ended) for event in due]
        self.storage.delivery.record(customer_id, SliceOutcome(events=tuple(ends)), now)
        return [event.event_id for event in due]

    def _due(self, source_ids, now, customer_id):
        found = self.storage.due(now, customer_id=customer_id)
        own = [event for event in found if event.entity.source_id in source_ids]
        return sorted(own, key=lambda event: (event.entity.source_id, event.version))

    def end(self, *source_ids, state=EventState.APPLIED, now=NOW, customer_id="acme"):
        due = self._due(source_ids, now, customer_id)
        ends = tuple(EventOutcome(event_id=event.event_id, state=state) for event in due)
        self.storage.delivery.record(customer_id, SliceOutcome(events=ends), now)

    def broken(self, *source_ids, now=NOW, run_id="broken", reading=1):
        items = tuple(a_broken_record(each, raw={"id": each, "reading": reading}) for each in source_ids)
        self.storage.detect(broken=items, run_id=run_id, now=now)

    def start(self, *numbers, name="again", now=NOW, customer_id="acme", **changes):
        new = NewBatch(customer_id=customer_id, name=name, numbers=numbers, actor="ada", **changes)
        self.batches.create(new, now)

    def counts(self, name="again", customer_id="acme"):
        return {str(outcome): n for outcome, n in self.batches.get(customer_id, name).counts.items()}

    def event_states(self):
        """In order of source ids and versions."""
        rows = sorted(self.storage.events(), key=lambda row: (row.source_id, row.version))
        return [row.state for row in rows]


def memory_desk(make_storage: Any) -> Desk:
    tables, customers = MemoryTables(), MemoryCustomerStore(ManualClock())
    for customer_id in ("acme", "globex"):
        customers.add(a_customer(customer_id))
    return Desk(make_storage(tables), MemoryLetters(tables), MemoryBatches(tables, customers.get), customers)


def postgres_desk(engine: Any, make_storage: Any) -> Desk:
    storage, customers = make_storage(engine), PostgresCustomerStore(engine, ManualClock())
    return Desk(storage, PostgresDeadLetters(engine), PostgresBatches(engine), customers)
