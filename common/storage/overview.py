"""What operators and the sweep read: no row of it is personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, exists, func, select

from common.domain.breakers import Breaker
from common.domain.customers import CustomerStatus, Mode, System
from common.domain.events import Origin
from common.domain.layers import Layer
from common.domain.nights import NightGlance
from common.domain.runs import RunReport, RunState
from common.storage.attention import Mapped, TargetsFound, read_mapped, read_reviews, read_targets
from common.storage.breakers import is_blocked, read_breakers
from common.storage.deletions import read_held
from common.storage.due import is_due, with_open_events
from common.storage.night_glances import read_nights
from common.storage.night_rows import may_apply, may_read
from common.storage.not_final import read_not_final
from common.storage.run_history import report_of
from common.storage.tables import OPEN, checkpoints, customers, dead_letters, events, runs
from common.storage.waiting import BY_DESIGN

#: A run that saved nothing for so long was left by its worker: ten of its slices, and longer than any request.
ABANDONED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class CustomerOverview:
    """One line of `fleet status`. Times are aware UTC; None: never, or nothing."""

    customer_id: str
    tier: str
    lane: str
    status: str
    status_reason: str
    #: Why nothing is applied although it is polled.
    applying_paused: str = ""
    #: When the pause ends by itself.
    paused_until: datetime | None = None
    parked_until: datetime | None
    parked_reason: str
    #: Highest source time detected, of the resource that is furthest behind.
    checkpoint: datetime | None
    #: When a run last ended well.
    last_run_at: datetime | None
    pending: int
    submitted: int
    #: When the longest waiting event was detected, of those that could have been sent.
    oldest_pending_at: datetime | None
    #: Of the pending ones: those that are to wait for a later time or a decision, as their handler said.
    waiting: int = 0
    #: When the first of them is looked at again, and what the most of them say.
    waiting_until: datetime | None = None
    waiting_reason: str = ""
    dead_letters: int
    #: Those that are not as new, by system.
    breakers: Mapping[System, Breaker] = field(default_factory=dict)
    #: Open ones by kind: they wait for a person's decision.
    reviews: Mapping[str, int] = field(default_factory=dict)
    #: Deletions that the fuse holds, by resource: they wait for a person too.
    deletions: Mapping[str, int] = field(default_factory=dict)
    destination: str = ""
    #: The last look at the custom fields that its mapping names; None: none yet.
    targets: TargetsFound | None = None
    #: Of a customer in nightly mode; None: it is continuous.
    night: NightGlance | None = None


@dataclass(frozen=True, kw_only=True)
class DueWork:
    """A customer with events to apply now."""

    customer_id: str
    lane: str


@dataclass(frozen=True, kw_only=True)
class DueRun:
    """Runs of a customer in a layer that may begin or go on now."""

    customer_id: str
    lane: str
    layer: Layer
    resources: tuple[str, ...]
    #: The latest moment that one of them was put off to: another one each time.
    due_at: datetime


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
                "applying_paused",
                "paused_until",
                "parked_until",
                "parked_reason",
                "destination",
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
                func.coalesce(work.c.waiting, 0).label("waiting"),
                work.c.waiting_until,
                func.coalesce(work.c.waiting_reason, "").label("waiting_reason"),
                func.coalesce(letters.c.dead_letters, 0).label("dead_letters"),
            )
            .outerjoin(work, work.c.customer_id == customers.c.customer_id)
            .outerjoin(letters, letters.c.customer_id == customers.c.customer_id)
            .outerjoin(reading, reading.c.customer_id == customers.c.customer_id)
            .outerjoin(ended, ended.c.customer_id == customers.c.customer_id)
            .where(customers.c.status != CustomerStatus.OFFBOARDED)
            .order_by(customers.c.customer_id)
        )
        with self._engine.connect() as connection:
            troubles, reviews, targets = read_breakers(connection), read_reviews(connection), read_targets(connection)
            held, nights = read_held(connection), read_nights(connection)
            return [
                CustomerOverview(
                    **row,
                    breakers=troubles.get(row["customer_id"], {}),
                    reviews=reviews.get(row["customer_id"], {}),
                    deletions=held.get(row["customer_id"], {}),
                    targets=targets.get(row["customer_id"]),
                    night=nights.get(row["customer_id"]),
                )
                for row in connection.execute(query).mappings()
            ]

    def not_final(self, now: datetime) -> Mapping[str, int]:
        """By customer: what a daily reconciliation would tell of now. As its counter, but nothing has to run for it."""
        return read_not_final(self._engine, now)

    def mapped(self, now: datetime) -> Sequence[Mapped]:
        """Customers whose mapping's targets may be looked at now, the longest not looked at first."""
        with self._engine.connect() as connection:
            return read_mapped(connection, _may_work(now))

    def due_work(self, now: datetime) -> Sequence[DueWork]:
        """Active customers, not parked, with due events, and a destination that accepts their token; nightly ones only
        while their night applies.
        """
        with_work = with_open_events(events.c.customer_id)
        query = (
            select(customers.c.customer_id, customers.c.lane)
            .join(with_work, with_work.c.value == customers.c.customer_id)
            .where(*_may_work(now), customers.c.applying_paused == "", ~is_blocked(System.DESTINATION), may_apply(now))
            .where(exists().where(events.c.customer_id == customers.c.customer_id, *is_due(now)))
        )
        with self._engine.connect() as connection:
            return [DueWork(**row) for row in connection.execute(query).mappings()]

    def due_runs(self, now: datetime) -> Sequence[DueRun]:
        """Of active customers whose source accepts their token: put off until now, asked for, or left by its worker.

        One that a worker still has is found too if it is slow to save anything; its lock keeps others out.
        """
        abandoned = checkpoints.c.updated_at < now - ABANDONED_AFTER
        running = checkpoints.c.continue_at.is_(None) & checkpoints.c.progress.is_not(None)
        query = (
            select(customers.c.customer_id, customers.c.lane, customers.c.mode, checkpoints.c.layer)
            .add_columns(func.array_agg(checkpoints.c.resource).label("resources"))
            .add_columns(func.max(func.coalesce(checkpoints.c.continue_at, checkpoints.c.updated_at)).label("due_at"))
            .join(checkpoints, checkpoints.c.customer_id == customers.c.customer_id)
            .where((checkpoints.c.continue_at <= now) | (running & abandoned))
            .where(customers.c.status == CustomerStatus.ACTIVE, ~is_blocked(System.SOURCE), may_read(now))
            .group_by(customers.c.customer_id, checkpoints.c.layer)
        )
        with self._engine.connect() as connection:
            return [_due_run(row) for row in connection.execute(query)]

    def runs(self, customer_id: str, limit: int = 20) -> Sequence[RunReport]:
        query = select(runs).where(runs.c.customer_id == customer_id).order_by(runs.c.started_at.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [report_of(row) for row in connection.execute(query)]

    def last_runs(self, customer_id: str) -> dict[tuple[str, Origin], datetime]:
        """When a run last ended well, by resource and origin."""
        query = (
            select(runs.c.resource, runs.c.origin, func.max(runs.c.finished_at).label("at"))
            .where(runs.c.customer_id == customer_id, runs.c.state == RunState.COMPLETED)
            .group_by(runs.c.resource, runs.c.origin)
        )
        with self._engine.connect() as connection:
            return {(row.resource, Origin(row.origin)): row.at for row in connection.execute(query)}

    def event_states(self, customer_id: str, *, run_id: str | None = None) -> dict[str, int]:
        """How many events are in each state, of all or of one run."""
        own = (events.c.customer_id == customer_id, *([] if run_id is None else [events.c.run_id == run_id]))
        query = select(events.c.state, func.count().label("events")).where(*own).group_by(events.c.state)
        with self._engine.connect() as connection:
            return {row.state: row.events for row in connection.execute(query)}


def _due_run(row: Any) -> DueRun:
    """Of a nightly customer, whose runs share the progress of its polls, it is the night's run that goes on."""
    nightly = row.layer == Layer.POLL and row.mode == Mode.NIGHTLY
    layer = Layer.NIGHTLY if nightly else Layer(row.layer)
    resources = tuple(sorted(row.resources))
    return DueRun(customer_id=row.customer_id, lane=row.lane, layer=layer, resources=resources, due_at=row.due_at)


def _may_work(now: datetime) -> tuple[Any, ...]:
    free = customers.c.parked_until.is_(None) | (customers.c.parked_until <= now)
    return customers.c.status == CustomerStatus.ACTIVE, free


def _work() -> Any:
    """What waits by design, or was sent, says nothing of how fast we are."""
    is_pending = events.c.state == "pending"
    return (
        select(
            events.c.customer_id,
            func.count().filter(is_pending).label("pending"),
            func.count().filter(events.c.state == "submitted").label("submitted"),
            func.min(events.c.detected_at).filter(is_pending, ~BY_DESIGN).label("oldest_pending_at"),
            func.count().filter(is_pending, BY_DESIGN).label("waiting"),
            func.min(events.c.retry_at).filter(is_pending, BY_DESIGN).label("waiting_until"),
            func.mode().within_group(events.c.reason).filter(is_pending, BY_DESIGN).label("waiting_reason"),
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
