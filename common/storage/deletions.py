"""What operators do with deletions that the fuse holds: see them, say that they are true, or that they are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select, tuple_, update

from common.storage import waiting
from common.storage.deletion_tables import HELD, deletions
from common.storage.engine import reading
from common.storage.gone import Cause, put_out
from common.storage.removals import STEP, mark_gone
from common.storage.tables import mirror

SAME = and_(
    mirror.c.customer_id == deletions.c.customer_id,
    mirror.c.resource == deletions.c.resource,
    mirror.c.source_id == deletions.c.source_id,
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """Deletions of one resource of a customer that wait for a decision."""

    customer_id: str
    resource: str
    count: int
    #: Records of the resource that are there, these among them.
    records: int
    since: datetime
    #: Some of them, the lowest ids first.
    examples: Sequence[str]


class PostgresDeletions:
    """Decisions are made in steps, a transaction each: a command that is killed half-way can be typed again."""

    def __init__(self, engine: Engine, *, partitions: int) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self._partitions = partitions

    def held(self, customer_id: str | None = None, *, resource: str | None = None, examples: int = 3) -> Sequence[Held]:
        """By customer and resource."""
        ids = func.array_agg(deletions.c.source_id).label("ids")
        query = (
            select(deletions.c.customer_id, deletions.c.resource, func.count().label("count"))
            .add_columns(func.min(deletions.c.held_at).label("since"), ids)
            .where(HELD, *_of(customer_id, resource))
            .group_by(deletions.c.customer_id, deletions.c.resource)
            .order_by(deletions.c.customer_id, deletions.c.resource)
        )
        with self._reads.connect() as connection:
            return [_held(connection, row, examples) for row in connection.execute(query).all()]

    def approve(self, customer_id: str, resource: str | None, *, actor: str, why: str, now: datetime) -> int:
        """They are gone: an event for each. Returns how many."""
        count = 0
        while rows := self._step(customer_id, resource, "approved", actor=actor, why=why, now=now):
            count += len(rows)
        return count

    def reject(self, customer_id: str, resource: str | None, *, actor: str, why: str, now: datetime) -> int:
        """They are there: kept as they are, and their evidence starts anew. Returns how many."""
        count = 0
        while rows := self._step(customer_id, resource, "rejected", actor=actor, why=why, now=now):
            count += len(rows)
        return count

    def _step(
        self, customer_id: str, resource: str | None, state: str, *, actor: str, why: str, now: datetime
    ) -> Sequence[Any]:
        with self._engine.begin() as connection:
            waiting.take_turn(connection, customer_id)
            found = _locked(connection, _of(customer_id, resource))
            if not found:
                return ()
            values = {"state": state, "actor": actor, "why": why, "resolved_at": now}
            own = (deletions.c.customer_id == customer_id, HELD)
            keys = tuple_(deletions.c.resource, deletions.c.source_id).in_([tuple(row) for row in found])
            decided = connection.execute(update(deletions).where(*own, keys).values(values).returning(deletions)).all()
            if state == "approved":
                self._put_out(connection, customer_id, decided, now)
            else:
                _start_anew(connection, customer_id, decided)
            return decided

    def _put_out(self, connection: Connection, customer_id: str, decided: Sequence[Any], now: datetime) -> None:
        for (resource, cause), rows in _by_cause(decided):
            gone = mark_gone(connection, customer_id, resource, [row.source_id for row in rows], now)
            put_out(connection, customer_id, gone, cause, now, partitions=self._partitions)


def _locked(connection: Connection, which: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
    """The mirror first, as every page that is saved does: whoever comes second sees what the first has made of it."""
    query = (
        select(deletions.c.resource, deletions.c.source_id)
        .join(mirror, SAME)
        .where(HELD, *which)
        .order_by(deletions.c.resource, deletions.c.source_id)
        .limit(STEP)
        .with_for_update(of=mirror)
    )
    return connection.execute(query).all()


def _start_anew(connection: Connection, customer_id: str, decided: Sequence[Any]) -> None:
    for resource in {row.resource for row in decided}:
        ids = [row.source_id for row in decided if row.resource == resource]
        own = (mirror.c.customer_id == customer_id, mirror.c.resource == resource, mirror.c.source_id.in_(ids))
        connection.execute(update(mirror).where(*own).values(absences=0))


def _by_cause(decided: Sequence[Any]) -> Iterator[tuple[tuple[str, Cause], list[Any]]]:
    def key(row: Any) -> tuple[str, str, str, str]:
        return row.resource, row.origin, row.run_id, row.trace_id

    for (resource, origin, run_id, trace_id), rows in groupby(sorted(decided, key=key), key=key):
        yield (resource, Cause(origin=origin, run_id=run_id, trace_id=trace_id)), list(rows)


def _of(customer_id: str | None, resource: str | None) -> Sequence[ColumnElement[bool]]:
    wanted = ((deletions.c.customer_id, customer_id), (deletions.c.resource, resource))
    return [column == value for column, value in wanted if value is not None]


def _held(connection: Connection, row: Any, examples: int) -> Held:
    there = select(func.count()).where(
        mirror.c.customer_id == row.customer_id, mirror.c.resource == row.resource, mirror.c.deleted_at.is_(None)
    )
    return Held(
        customer_id=row.customer_id,
        resource=row.resource,
        count=row.count,
        records=int(connection.execute(there).scalar_one()),
        since=row.since,
        examples=sorted(row.ids)[:examples],
    )


def read_held(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """By customer and resource: how many wait for a decision."""
    query = (
        select(deletions.c.customer_id, deletions.c.resource, func.count().label("count"))
        .where(HELD)
        .group_by(deletions.c.customer_id, deletions.c.resource)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.customer_id][row.resource] = int(row[2])
    return found
