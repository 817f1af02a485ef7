"""Attempts that failed or were put off, as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from common.domain.attempts import Attempt, forgotten
from common.storage.attempt_tables import attempts
from common.storage.engine import reading

NAMES = tuple(each.name for each in fields(Attempt))


class PostgresAttempts:
    """Implements `common.domain.attempts.AttemptHistory`."""

    def __init__(self, engine: Engine) -> None:
        self._reads = reading(engine)

    def attempts_of(self, customer_id: str, event_ids: Collection[int]) -> Mapping[int, Sequence[Attempt]]:
        query = (
            select(*(attempts.c[name] for name in NAMES))
            .where(attempts.c.customer_id == customer_id, attempts.c.event_id.in_(event_ids))
            .order_by(attempts.c.event_id, attempts.c.number)
        )
        found: dict[int, list[Attempt]] = defaultdict(list)
        with self._reads.connect() as connection:
            for row in connection.execute(query).mappings():
                found[row["event_id"]].append(Attempt(**row))
        return dict(found)


def record_attempts(connection: Connection, customer_id: str, made: Sequence[Attempt]) -> None:
    """Number them, and forget what is neither among the first nor among the newest.

    Two workers that number at once (one of them stopped for long, and taken over from) lose one row, and nothing else.
    """
    if not made:
        return
    numbered = _numbered(connection, customer_id, made)
    rows = [{**asdict(attempt), "customer_id": customer_id} for attempt in numbered]
    connection.execute(insert(attempts).values(rows).on_conflict_do_nothing())
    _forget(connection, customer_id, numbered)


def _numbered(connection: Connection, customer_id: str, made: Sequence[Attempt]) -> list[Attempt]:
    query = (
        select(attempts.c.event_id, func.max(attempts.c.number).label("last"))
        .where(attempts.c.customer_id == customer_id, attempts.c.event_id.in_([each.event_id for each in made]))
        .group_by(attempts.c.event_id)
    )
    last: dict[int, int] = {row.event_id: row.last for row in connection.execute(query)}
    numbered = []
    for attempt in made:
        last[attempt.event_id] = last.get(attempt.event_id, 0) + 1
        numbered.append(replace(attempt, number=last[attempt.event_id]))
    return numbered


def _forget(connection: Connection, customer_id: str, numbered: Iterable[Attempt]) -> None:
    old: list[Any] = [
        (each.event_id, number) for each in numbered if (number := forgotten(each.number)) is not None
    ]  # fmt: skip
    if old:
        keys = tuple_(attempts.c.event_id, attempts.c.number)
        connection.execute(delete(attempts).where(attempts.c.customer_id == customer_id, keys.in_(old)))
