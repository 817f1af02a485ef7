"""What stands around a night: tokens, runs, what is still to be applied, and what it has come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, exists, func, or_, select

from common.domain.customers import System
from common.domain.events import EventState
from common.domain.layers import Layer
from common.domain.night_reports import FAILURES, NightFailure, NightReport, applied_through, by_state
from common.domain.nights import Night
from common.domain.runs import FINAL_RUN_STATES, RunState
from common.storage.due import IS_OPEN, OPEN_NAMES
from common.storage.engine import reading
from common.storage.night_runs import BESIDE, came_to, has_read_on, under_way
from common.storage.schedule import ask_for
from common.storage.tables import checkpoints, credentials, dead_letters, events, runs

#: What was accepted by a destination that imports at once shows within this time; longer than that no night is kept
#: open for it, and it is looked for in the next one.
CONFIRMATION = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How far a night's reading is, by resource. As in `night_steps.Truth`."""

    unread: Sequence[str]
    idle: Sequence[str]
    failed: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Applying:
    """What a night's applying has met. As in `night_steps.Truth`."""

    has_applied: bool
    outage: str


class PostgresNightTruth:
    """Reads of one customer, and the asking for its runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def tokens(self, customer_id: str) -> frozenset[System]:
        """Systems that there is a token for."""
        query = select(credentials.c.system).where(credentials.c.customer_id == customer_id)
        with self._reads.connect() as connection:
            return frozenset(map(System, connection.execute(query).scalars()))

    def reading(self, night: Night, resources: Sequence[str]) -> Reading:
        with self._reads.connect() as connection:
            ended = _ended(connection, night)
            busy = set(connection.execute(_busy(night.customer_id)).scalars())
        unread = [name for name in resources if name not in ended or name in busy]
        failed = [name for name in resources if ended.get(name) == RunState.FAILED and name not in unread]
        return Reading(unread=unread, idle=[name for name in unread if name not in busy], failed=failed)

    def under_way(self, customer_id: str) -> Mapping[str, Mapping[str, int]]:
        """As `Night.carried`, of now."""
        with self._reads.connect() as connection:
            return under_way(connection, customer_id)

    def has_read_on(self, night: Night, unread: Sequence[str]) -> bool:
        """Whether runs of these resources have saved pages in this night."""
        with self._reads.connect() as connection:
            return has_read_on(connection, night, unread)

    def applying(self, night: Night) -> Applying:
        """Reads all events of the customer, if none of its night was applied: not for every look."""
        since = night.started_at or night.claimed_at
        with self._reads.connect() as connection:
            has_applied = bool(connection.execute(select(_taken(night.customer_id, since))).scalar_one())
            said = connection.execute(_said_in_vain(night.customer_id, since)).scalar_one_or_none()
        return Applying(has_applied=has_applied, outage=said or "")

    def ask(self, customer_id: str, resources: Sequence[str], now: datetime) -> None:
        """Their runs are due from now on; one that is under way goes on instead."""
        with self._engine.begin() as connection:
            connection.execute(ask_for(customer_id, Layer.NIGHTLY, resources, now))

    def has_work(self, night: Night, now: datetime) -> bool:
        """Whether an event is due before the deadline, and none of its entity is due after it."""
        deadline = night.deadline_at or now
        own = (events.c.customer_id == night.customer_id, IS_OPEN)
        query = select(exists().where(*own, ~_is_late(events, deadline, now), ~_held(deadline, now)))
        with self._reads.connect() as connection:
            return bool(connection.execute(query).scalar_one())

    def report(self, night: Night, resources: Sequence[str], now: datetime) -> NightReport:
        """From its start, or from its claim if it never was taken up."""
        since = night.started_at or night.claimed_at
        with self._reads.connect() as connection:
            still_open = connection.execute(_open(night.customer_id)).one()
            places = _checkpoints(connection, night.customer_id)
            lowest = min((at for at in places.values() if at is not None), default=None)
            return NightReport(
                **came_to(connection, night),
                **by_state(_tally(connection, night.customer_id, since)),
                submitted=still_open.submitted,
                deferred=still_open.pending,
                taken_over=_taken_over(connection, night.customer_id, since),
                duration_seconds=round((now - since).total_seconds(), 3),
                rate_limit_pauses=night.pauses,
                failures=_failures(connection, night.customer_id, since),
                checkpoints={name: places.get(name) for name in resources},
                applied_through=applied_through(lowest, still_open.oldest),
            )


def _ended(connection: Connection, night: Night) -> dict[str, str]:
    """State by resource of the last run that began and ended in this night."""
    since = night.started_at or night.claimed_at
    query = (
        select(runs.c.resource, runs.c.state)
        .where(runs.c.customer_id == night.customer_id, runs.c.started_at >= since)
        .where(runs.c.state.in_(FINAL_RUN_STATES), runs.c.origin.not_in(BESIDE))
        .order_by(runs.c.started_at)
    )
    return {row.resource: row.state for row in connection.execute(query)}


def _busy(customer_id: str) -> Any:
    """Resources whose poll is under way, or asked for."""
    at_work = checkpoints.c.progress.is_not(None) | checkpoints.c.continue_at.is_not(None)
    return select(checkpoints.c.resource).where(
        checkpoints.c.customer_id == customer_id, checkpoints.c.layer == Layer.POLL, at_work
    )


def _is_late(table: Any, deadline: datetime, now: datetime) -> ColumnElement[bool]:
    """Of an open event: not before the deadline; or, if the destination holds it, not within the next minute."""
    soon = min(deadline, now + CONFIRMATION)
    limit = case((table.c.state == EventState.SUBMITTED, soon), else_=deadline)
    return table.c.retry_at >= limit  # type: ignore[no-any-return]


def _held(deadline: datetime, now: datetime) -> ColumnElement[bool]:
    """Its entity has an open event that is late."""
    other = events.alias("other")
    same = [other.c[name] == events.c[name] for name in ("customer_id", "resource", "source_id")]
    return exists().where(*same, other.c.state.in_(OPEN_NAMES), _is_late(other, deadline, now))


def _taken(customer_id: str, since: datetime) -> ColumnElement[bool]:
    """Whether the destination has taken an event since, or said of one that it still holds it."""
    applied = (events.c.state == EventState.APPLIED) & (events.c.finished_at >= since)
    held = (events.c.state == EventState.SUBMITTED) & (events.c.retry_at > since)
    return exists().where(events.c.customer_id == customer_id, or_(applied, held))


def _said_in_vain(customer_id: str, since: datetime) -> Any:
    """What is still pending and was tried since, other than with a defect of ours; the latest one's reason."""
    tried = (events.c.failures > events.c.defects, events.c.retry_at > since, events.c.reason != "")
    query = select(events.c.reason).where(events.c.customer_id == customer_id, IS_OPEN, *tried)
    return query.where(events.c.state == EventState.PENDING).order_by(events.c.retry_at.desc()).limit(1)


def _tally(connection: Connection, customer_id: str, since: datetime) -> Mapping[str, int]:
    own = (events.c.customer_id == customer_id, events.c.finished_at >= since)
    query = select(events.c.state, func.count().label("events")).where(*own).group_by(events.c.state)
    return {row.state: row.events for row in connection.execute(query)}


def _open(customer_id: str) -> Any:
    return select(
        func.count().filter(events.c.state == EventState.PENDING).label("pending"),
        func.count().filter(events.c.state == EventState.SUBMITTED).label("submitted"),
        func.min(events.c.occurred_at).label("oldest"),
    ).where(events.c.customer_id == customer_id, IS_OPEN)


def _taken_over(connection: Connection, customer_id: str, since: datetime) -> int:
    """Events that were there, and open, when the night began."""
    lasted = events.c.finished_at.is_(None) | (events.c.finished_at >= since)
    query = select(func.count()).where(events.c.customer_id == customer_id, events.c.detected_at < since, lasted)
    return int(connection.execute(query).scalar_one())


def _checkpoints(connection: Connection, customer_id: str) -> dict[str, datetime | None]:
    query = select(checkpoints.c.resource, checkpoints.c.position).where(
        checkpoints.c.customer_id == customer_id, checkpoints.c.layer == Layer.POLL
    )
    return {row.resource: row.position for row in connection.execute(query)}


def _failures(connection: Connection, customer_id: str, since: datetime) -> list[NightFailure]:
    names = NightFailure.__dataclass_fields__
    query = (
        select(*(dead_letters.c[name] for name in names))
        .where(dead_letters.c.customer_id == customer_id, dead_letters.c.created_at >= since)
        .order_by(dead_letters.c.dead_letter_id)
        .limit(FAILURES)
    )
    return [NightFailure(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public accessor
