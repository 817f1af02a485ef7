"""Dead letters in PostgreSQL: found, counted, shown, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, ScalarSelect, and_, case, func, insert, literal, select

from common.domain.events import EventState
from common.domain.letters import DeadLetter, LetterFilter, LetterGroup, LetterState, Stage, payload_of
from common.storage.batch_tables import replay_items
from common.storage.putting_back import put_back, resolve, set_event
from common.storage.tables import audit, dead_letters, events, mirror


class PostgresDeadLetters:
    """Implements `common.domain.letters.Letters`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(
        self, customer_id: str | None = None, *, reason: str | None = None, limit: int = 100
    ) -> Sequence[DeadLetter]:
        """Open ones."""
        return self.find(LetterFilter(customer_id=customer_id, reason=reason), limit=limit)

    def find(self, which: LetterFilter, *, limit: int) -> Sequence[DeadLetter]:
        query = with_batch().where(*chosen(which)).order_by(dead_letters.c.dead_letter_id).limit(limit)
        with self._engine.connect() as connection:
            return [letter_of(row) for row in connection.execute(query)]

    def groups(self, which: LetterFilter) -> Sequence[LetterGroup]:
        names = ("customer_id", "reason", "resource", "field")
        alike, count = [dead_letters.c[name] for name in names], func.count().label("count")
        query = (
            select(*alike, count)
            .add_columns(func.min(dead_letters.c.created_at).label("oldest"))
            .add_columns(func.max(dead_letters.c.created_at).label("newest"))
            .where(*chosen(which))
            .group_by(*alike)
            .order_by(dead_letters.c.customer_id, count.desc(), *alike[1:])
        )
        with self._engine.connect() as connection:
            return [LetterGroup(**row) for row in connection.execute(query).mappings()]

    def show(self, customer_id: str, dead_letter_id: int) -> tuple[DeadLetter, Mapping[str, Any]] | None:
        """Of what was unreadable, the payload is the source's item as it came."""
        query = (
            with_batch()
            .add_columns(events.c.payload, mirror.c.raw)
            .join(events, _same_event())
            .outerjoin(
                mirror,
                and_(
                    mirror.c.customer_id == dead_letters.c.customer_id,
                    mirror.c.resource == dead_letters.c.resource,
                    mirror.c.source_id == dead_letters.c.source_id,
                ),
            )
            .where(*chosen(LetterFilter(customer_id=customer_id, numbers=(dead_letter_id,), state=None)))
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (letter_of(row), row.payload or payload_of(row.raw))

    def replay(self, letter: DeadLetter, now: datetime) -> bool:
        """Put the event back to work. False if the letter was resolved already."""
        with self._engine.begin() as connection:
            return put_back(connection, letter, now)

    def discard(
        self, customer_id: str, numbers: Sequence[int], *, why: str, actor: str, now: datetime
    ) -> Sequence[int]:
        with self._engine.begin() as connection:
            which = LetterFilter(customer_id=customer_id, numbers=tuple(numbers))
            # Slices lock letters in orders of their own: who waits for none of them is part of no deadlock.
            free: Any = {"of": dead_letters, "skip_locked": True}
            query = with_batch().where(*chosen(which)).order_by(dead_letters.c.dead_letter_id).with_for_update(**free)
            done = []
            for letter in map(letter_of, connection.execute(query).all()):
                if not resolve(connection, letter, LetterState.DISCARDED, why, now):
                    continue
                set_event(connection, letter, state=EventState.DISCARDED, reason=why, finished_at=now)
                line = {"action": "dead_letter.discarded", "detail": f"{letter.dead_letter_id} {why}".strip()}
                connection.execute(insert(audit).values(customer_id=customer_id, at=now, actor=actor, **line))
                done.append(letter.dead_letter_id)
            return done


def chosen(which: LetterFilter) -> Sequence[ColumnElement[bool]]:
    """As conditions."""
    letter = dead_letters.c
    wanted = (
        (letter.customer_id, which.customer_id), (letter.reason, which.reason), (letter.resource, which.resource),
        (letter.state, which.state),
    )  # fmt: skip
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    if which.numbers:
        conditions.append(letter.dead_letter_id.in_(which.numbers))
    if which.since is not None:
        conditions.append(letter.created_at >= which.since)
    return conditions


def with_batch() -> Any:
    """Letters, each with the batch that replayed it before."""
    return select(dead_letters, func.coalesce(_batch_before(), "").label("batch"))


def letter_of(row: Any) -> DeadLetter:
    """Of a row of `with_batch`."""
    return DeadLetter(**{name: getattr(row, name) for name in DeadLetter.__dataclass_fields__})


def _same_event() -> ColumnElement[bool]:
    return and_(events.c.customer_id == dead_letters.c.customer_id, events.c.event_id == dead_letters.c.event_id)


def _batch_before() -> ScalarSelect[Any]:
    """The letter before it, of the same event or the same unreadable item, if a batch has replayed that."""
    previous = dead_letters.alias("previous")
    before = (
        previous.c.customer_id == dead_letters.c.customer_id,
        previous.c.dead_letter_id < dead_letters.c.dead_letter_id,
    )
    last = select(func.max(previous.c.dead_letter_id)).correlate(dead_letters)
    of_event = last.where(*before, previous.c.event_id == dead_letters.c.event_id).scalar_subquery()
    of_item = last.where(*before, *same_item(previous)).scalar_subquery()
    number = case((dead_letters.c.stage == literal(Stage.DETECT.value), of_item), else_=of_event)
    return (
        select(func.max(replay_items.c.batch))
        .where(replay_items.c.customer_id == dead_letters.c.customer_id, replay_items.c.state == "fed")
        .where(replay_items.c.dead_letter_id == number)
        .correlate(dead_letters)
        .scalar_subquery()
    )


def same_item(other: Any) -> Sequence[ColumnElement[bool]]:
    """Another letter of the same unreadable item; each reading of it is an event of its own."""
    return (
        other.c.resource == dead_letters.c.resource,
        other.c.source_id == dead_letters.c.source_id,
        other.c.stage == Stage.DETECT,
    )
