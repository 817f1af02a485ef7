"""Every seam of storage over both implementations: the servers' and the twin's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from support import letters
from support.builders import NOW, a_customer, a_page
from support.letters import Desk

from common.domain.clock import ManualClock
from common.domain.entities import EntityKey
from common.domain.resources import USERS
from common.domain.runs import RunState
from common.storage import tables
from common.storage.attempts import PostgresAttempts
from common.storage.customers import PostgresCustomerStore
from common.storage.delivery import PostgresDeliveryStore
from common.storage.detection import PostgresDetectionStore
from common.storage.memory.attempts import MemoryAttempts
from common.storage.memory.customers import MemoryCustomerStore
from common.storage.memory.delivery import MemoryDeliveryStore
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.pages import MemoryPages
from common.storage.memory.tables import MemoryTables
from common.storage.overview import PostgresOverview
from common.storage.pages import PostgresPages

PARTITIONS = 4


@dataclass(frozen=True)
class SeenEvent:
    event_id: int
    source_id: str
    version: int
    state: str
    reason: str
    attempts: int
    retry_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class SeenLetter:
    event_id: int
    source_id: str
    stage: str
    reason: str
    field: str
    attempts: int
    state: str
    detail: str


@dataclass
class Storage:
    """Both stores of one fleet, and what a test reads behind their backs."""

    detection: Any
    delivery: Any
    events: Callable[[], Sequence[SeenEvent]]
    letters: Callable[[], Sequence[SeenLetter]]
    mirror_version: Callable[[EntityKey], int]
    run: Callable[[str], Any]
    #: Customer, action and detail of each line.
    history: Callable[[], Sequence[tuple[str, str, str]]]
    attempts: Any
    pages: Any

    def start(self, run_id: str = "run1", *, now: datetime = NOW, customer_id: str = "acme") -> Any:
        return self.detection.start_run(
            customer_id=customer_id, resource=USERS, run_id=run_id, trace_id=f"trace-{run_id}", now=now
        )

    def finish(self, run_id: str = "run1", *, state=RunState.COMPLETED, position=None, error="", now=NOW) -> None:
        self.detection.finish_run("acme", USERS, run_id, state=state, position=position, error=error, now=now)

    def detect(self, *records, broken=(), run_id: str = "run1", customer_id: str = "acme", now: datetime = NOW):
        """One whole run of one page."""
        progress = self.start(run_id, customer_id=customer_id, now=now).progress
        page = a_page(progress, *records, broken=broken, customer_id=customer_id, now=now)
        counts = self.detection.save_page(page, progress)
        self.detection.finish_run(
            customer_id, USERS, run_id, state=RunState.COMPLETED, position=None, error="", now=now
        )
        return counts

    def due(self, now: datetime = NOW, *, customer_id: str = "acme", limit: int = 100) -> list[Any]:
        """All events that may be applied now, over all partitions."""
        partitions = self.delivery.due_partitions(customer_id, now)
        return [e for p in partitions for e in self.delivery.read_slice(customer_id, p, now, limit)]


@pytest.fixture(params=["memory", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "memory":
        return memory_storage(MemoryTables())
    return postgres_storage(request.getfixturevalue("engine"))


@pytest.fixture(params=["memory", "postgres"])
def customers(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryCustomerStore(ManualClock())
    return PostgresCustomerStore(request.getfixturevalue("engine"), ManualClock())


def memory_storage(state: MemoryTables) -> Storage:
    return Storage(
        detection=MemoryDetectionStore(state, partitions=PARTITIONS),
        delivery=MemoryDeliveryStore(state),
        events=lambda: [_memory_event(state.rows.events[event_id]) for event_id in sorted(state.rows.events)],
        letters=lambda: [_memory_letter(row) for row in state.rows.letters],
        mirror_version=lambda entity: state.mirror[entity].version,
        run=lambda run_id: next(report for report in state.runs if report.run_id == run_id),
        history=lambda: state.rows.history,
        attempts=MemoryAttempts(state),
        pages=MemoryPages(state),
    )


def _memory_event(row: Any) -> SeenEvent:
    event = row.event
    return SeenEvent(
        event.event_id, event.entity.source_id, event.version, event.state, row.reason, event.attempts, row.retry_at,
        row.finished_at,
    )  # fmt: skip


def _memory_letter(row: Any) -> SeenLetter:
    return SeenLetter(
        row.event_id, row.entity.source_id, row.stage, row.reason, row.field, row.attempts, row.state, row.detail
    )


def postgres_storage(engine: Any) -> Storage:
    for customer_id in ("acme", "globex"):
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))

    def rows(table: Any, seen: type, order: str) -> list[Any]:
        names = list(seen.__dataclass_fields__)
        with engine.connect() as connection:
            found = connection.execute(select(*(table.c[name] for name in names)).order_by(table.c[order]))
            return [seen(*row) for row in found]

    def mirror_version(entity: EntityKey) -> int:
        query = select(tables.mirror.c.version).where(tables.mirror.c.source_id == entity.source_id)
        with engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def history() -> Sequence[tuple[str, str, str]]:
        line = tables.audit.c
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(select(line.customer_id, line.action, line.detail))]

    reports = PostgresOverview(engine)
    return Storage(
        detection=PostgresDetectionStore(engine, partitions=PARTITIONS),
        delivery=PostgresDeliveryStore(engine),
        events=lambda: rows(tables.events, SeenEvent, "event_id"),
        letters=lambda: rows(tables.dead_letters, SeenLetter, "dead_letter_id"),
        mirror_version=mirror_version,
        run=lambda run_id: next(report for report in reports.runs("acme") if report.run_id == run_id),
        history=history,
        attempts=PostgresAttempts(engine),
        pages=PostgresPages(engine),
    )


@pytest.fixture(params=["memory", "postgres"])
def desk(request: pytest.FixtureRequest) -> Desk:
    if request.param == "memory":
        return letters.memory_desk(memory_storage)
    return letters.postgres_desk(request.getfixturevalue("engine"), postgres_storage)


@pytest.fixture
def postgres_desk(engine: Any) -> Desk:
    return letters.postgres_desk(engine, postgres_storage)
