"""Dead letters: list, show, replay, discard.

A replay puts the event back where it was: a letter of stage `apply` becomes pending again and passes the same steps, so
that a newer version that has been applied since supersedes it. A letter of stage `detect` has no readable payload: its
mirror row is forgotten and the checkpoint goes back to before it, so that the next poll reads the item again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, select, update

from common.domain.events import EventState
from common.domain.layers import Layer
from common.domain.runs import RunState
from common.storage.tables import checkpoints, dead_letters, events, mirror, runs


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One letter, without its payload."""

    customer_id: str
    dead_letter_id: int
    event_id: int
    resource: str
    source_id: str
    stage: str
    reason: str
    field: str
    message: str
    status: int | None
    detail: str
    attempts: int
    run_id: str
    trace_id: str
    state: str
    resolution: str
    created_at: datetime
    resolved_at: datetime | None


class PostgresDeadLetters:
    """The dead-letter queue as operators handle it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(
        self, customer_id: str | None = None, *, reason: str | None = None, state: str = "open", limit: int = 100
    ) -> Sequence[DeadLetter]:
        query = select(dead_letters).where(dead_letters.c.state == state)
        if customer_id:
            query = query.where(dead_letters.c.customer_id == customer_id)
        if reason:
            query = query.where(dead_letters.c.reason == reason)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(dead_letters.c.dead_letter_id).limit(limit))
            return [DeadLetter(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public accessor

    def show(self, customer_id: str, dead_letter_id: int) -> tuple[DeadLetter, dict[str, Any]] | None:
        """The letter and its event's payload (personal data), or None."""
        query = (
            select(dead_letters, events.c.payload, mirror.c.raw)
            .join(
                events,
                and_(events.c.customer_id == dead_letters.c.customer_id, events.c.event_id == dead_letters.c.event_id),
            )
            .outerjoin(
                mirror,
                and_(
                    mirror.c.customer_id == dead_letters.c.customer_id,
                    mirror.c.resource == dead_letters.c.resource,
                    mirror.c.source_id == dead_letters.c.source_id,
                ),
            )
            .where(dead_letters.c.customer_id == customer_id, dead_letters.c.dead_letter_id == dead_letter_id)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor
        payload, raw = values.pop("payload"), values.pop("raw")
        return DeadLetter(**values), payload or raw

    def replay(self, letter: DeadLetter, now: datetime) -> bool:
        """Put the event back to work. False if the letter was resolved already."""
        with self._engine.begin() as connection:
            if not _resolve(connection, letter, "replayed", "", now):
                return False
            (_read_again if letter.stage == "detect" else _apply_again)(connection, letter, now)
            return True

    def discard(self, letter: DeadLetter, why: str, now: datetime) -> bool:
        """Close the event for good. False if the letter was resolved already."""
        with self._engine.begin() as connection:
            if not _resolve(connection, letter, "discarded", why, now):
                return False
            _set_event(connection, letter, state=EventState.DISCARDED, reason=why, finished_at=now)
            return True


def _resolve(connection: Connection, letter: DeadLetter, state: str, why: str, now: datetime) -> bool:
    result = connection.execute(
        update(dead_letters)
        .where(dead_letters.c.customer_id == letter.customer_id)
        .where(dead_letters.c.dead_letter_id == letter.dead_letter_id, dead_letters.c.state == "open")
        .values(state=state, resolution=why, resolved_at=now)
    )
    return result.rowcount == 1


def _set_event(connection: Connection, letter: DeadLetter, **changes: Any) -> None:
    connection.execute(
        update(events)
        .where(events.c.customer_id == letter.customer_id, events.c.event_id == letter.event_id)
        .where(events.c.state == EventState.DEAD_LETTERED)
        .values(**changes)
    )


def _apply_again(connection: Connection, letter: DeadLetter, now: datetime) -> None:
    anew = {"attempts": 0, "failures": 0, "defects": 0, "retry_at": now, "finished_at": None}
    _set_event(connection, letter, state=EventState.PENDING, reason="", **anew)


def _read_again(connection: Connection, letter: DeadLetter, now: datetime) -> None:
    """The event ends as superseded: reading the item again makes a new one."""
    _start_over(connection, letter, now)
    _set_event(connection, letter, state=EventState.SUPERSEDED, reason="read again", finished_at=now)
    # The row stays, for the entity's versions go on; only its hash is forgotten.
    connection.execute(
        update(mirror)
        .where(mirror.c.customer_id == letter.customer_id, mirror.c.resource == letter.resource)
        .where(mirror.c.source_id == letter.source_id)
        .values(content_hash="")
    )


def _start_over(connection: Connection, letter: DeadLetter, now: datetime) -> None:
    """Move the checkpoint to before the item, and fence the run under way: its end would move it forward again.

    The checkpoint's row is locked first, as every page does, so that the two never wait for each other.
    """
    own = (checkpoints.c.customer_id == letter.customer_id, checkpoints.c.resource == letter.resource)
    where = and_(*own, checkpoints.c.layer == Layer.POLL)
    row = connection.execute(select(checkpoints).where(where).with_for_update()).one_or_none()
    if row is None:
        return  # never read, so the first poll reads everything
    since = connection.execute(
        select(events.c.occurred_at).where(
            events.c.customer_id == letter.customer_id, events.c.event_id == letter.event_id
        )
    ).scalar_one()
    # Without a position everything is read anyway.
    position = None if row.position is None else min(row.position, since - timedelta(seconds=1))
    connection.execute(
        update(checkpoints)
        .where(where)
        # What a cursor has passed comes again by reading everything.
        .values(position=position, cursor="", run_id=None, progress=None, continue_at=None, updated_at=now)
    )
    connection.execute(
        update(runs)
        .where(runs.c.customer_id == letter.customer_id, runs.c.run_id == row.run_id)
        .where(runs.c.state.in_((RunState.RUNNING, RunState.CONTINUED)))
        .values(state=RunState.FAILED, finished_at=now, error="replaced: a dead letter is to be read again")
    )
