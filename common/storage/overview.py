"""What operators and the sweep read: no row of it is personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select

from common.domain.customers import CustomerStatus
from common.domain.runs import RunCounts, RunReport, RunState
from common.storage.due import IS_OPEN, held_back
from common.storage.tables import OPEN, checkpoints, customers, dead_letters, events, runs


@dataclass(frozen=True, kw_only=True)
class CustomerOverview:
    """One line of `fleet status`. Times are aware UTC; None: never, or nothing."""

    customer_id: str
    tier: str
    lane: str
    status: str
    status_reason: str
    parked_until: datetime | None
    parked_reason: str
    #: Highest source time detected, of the resource that is furthest behind.
    checkpoint: datetime | None
    #: When a run last ended well.
    last_run_at: datetime | None
    pending: int
    submitted: int
    #: When the longest waiting event was detected.
    oldest_pending_at: datetime | None
    dead_letters: int


@dataclass(frozen=True, kw_only=True)
class DueWork:
    """A customer with events to apply now."""

    customer_id: str
    lane: str
    due: int


@dataclass(frozen=True, kw_only=True)
class DueRun:
    """A run that saved its progress and may go on now."""

    customer_id: str
    lane: str


class PostgresOverview:
    """Reads over all customers, for the sweep, the exporter and `fleet status`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def customers(self) -> Sequence[CustomerOverview]:
        work, letters = _work(), _letters()
        reading, ended = _reading(), _ended()
        columns = [
            customers.c[name]
            for name in (
                "customer_id",
                "tier",
                "lane",
                "status",
                "status_reason",
                "parked_until",
                "parked_reason",
            )
        ]
        query = (
            select(
                *columns,
                reading.c.checkpoint,
                ended.c.last_run_at,
                func.coalesce(work.c.pending, 0).label("pending"),
                func.coalesce(work.c.submitted, 0).label("submitted"),
                work.c.oldest_pending_at,
                func.coalesce(letters.c.dead_letters, 0).label("dead_letters"),
            )
            .outerjoin(work, work.c.customer_id == customers.c.customer_id)
            .outerjoin(letters, letters.c.customer_id == customers.c.customer_id)
            .outerjoin(reading, reading.c.customer_id == customers.c.customer_id)
            .outerjoin(ended, ended.c.customer_id == customers.c.customer_id)
            .order_by(customers.c.customer_id)
        )
        with self._engine.connect() as connection:
            return [CustomerOverview(**row) for row in connection.execute(query).mappings()]

    def due_work(self, now: datetime) -> Sequence[DueWork]:
        """Active customers, not parked, with due events."""
        query = (
            select(customers.c.customer_id, customers.c.lane, func.count().label("due"))
            .join(events, events.c.customer_id == customers.c.customer_id)
            .where(IS_OPEN, events.c.retry_at <= now, ~held_back(now), *_may_work(now))
            .group_by(customers.c.customer_id, customers.c.lane)
        )
        with self._engine.connect() as connection:
            return [DueWork(**row) for row in connection.execute(query).mappings()]

    def due_runs(self, now: datetime) -> Sequence[DueRun]:
        query = (
            select(customers.c.customer_id, customers.c.lane)
            .join(checkpoints, checkpoints.c.customer_id == customers.c.customer_id)
            .where(checkpoints.c.continue_at <= now, customers.c.status == CustomerStatus.ACTIVE)
            .distinct()
        )
        with self._engine.connect() as connection:
            return [DueRun(**row) for row in connection.execute(query).mappings()]

    def runs(self, customer_id: str, limit: int = 20) -> Sequence[RunReport]:
        query = select(runs).where(runs.c.customer_id == customer_id).order_by(runs.c.started_at.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_report(row) for row in connection.execute(query)]

    def event_states(self, customer_id: str) -> dict[str, int]:
        """How many events are in each state."""
        query = (
            select(events.c.state, func.count().label("events"))
            .where(events.c.customer_id == customer_id)
            .group_by(events.c.state)
        )
        with self._engine.connect() as connection:
            return {row.state: row.events for row in connection.execute(query)}


def _may_work(now: datetime) -> tuple[Any, ...]:
    free = customers.c.parked_until.is_(None) | (customers.c.parked_until <= now)
    return customers.c.status == CustomerStatus.ACTIVE, free


def _work() -> Any:
    return (
        select(
            events.c.customer_id,
            func.count().filter(events.c.state == "pending").label("pending"),
            func.count().filter(events.c.state == "submitted").label("submitted"),
            func.min(events.c.detected_at).label("oldest_pending_at"),
        )
        .where(OPEN)
        .group_by(events.c.customer_id)
        .subquery()
    )


def _letters() -> Any:
    return (
        select(dead_letters.c.customer_id, func.count().label("dead_letters"))
        .where(dead_letters.c.state == "open")
        .group_by(dead_letters.c.customer_id)
        .subquery()
    )


def _reading() -> Any:
    return (
        select(checkpoints.c.customer_id, func.min(checkpoints.c.position).label("checkpoint"))
        .group_by(checkpoints.c.customer_id)
        .subquery()
    )


def _ended() -> Any:
    return (
        select(runs.c.customer_id, func.max(runs.c.finished_at).label("last_run_at"))
        .where(runs.c.state == RunState.COMPLETED)
        .group_by(runs.c.customer_id)
        .subquery()
    )


def _report(row: Any) -> RunReport:
    return RunReport(
        customer_id=row.customer_id,
        run_id=row.run_id,
        resource=row.resource,
        origin=row.origin,
        state=RunState(row.state),
        started_at=row.started_at,
        finished_at=row.finished_at,
        counts=RunCounts(**{name: getattr(row, name) for name in RunCounts.__dataclass_fields__}),
        error=row.error,
    )
