"""What is gone by the evidence: taken out of the mirror as far as the fuse lets it, and held beyond that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.fuse import PERIOD, Fuse
from common.domain.sources import Gone
from common.storage.deletion_tables import HELD, deletions
from common.storage.tables import mirror

#: Records in one statement, well below what its parameters may be.
STEP = 1000
#: What an event of a deletion is made of.
FOUND = (mirror.c.resource, mirror.c.source_id, mirror.c.version, mirror.c.body)


class Finding(Protocol):
    """What found something gone: the end of a reading, or a page that says so."""

    @property
    def customer_id(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    @property
    def fuse(self) -> Fuse: ...


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What became of what is gone."""

    #: Rows of the mirror in portions, each with the version that its event is to have. They are marked as they are
    #: taken, to be put out in the same transaction: of a million records, never more than a portion is in memory.
    gone: Iterable[Sequence[Any]]
    held: int


NOTHING = Removed(gone=(), held=0)


def is_held() -> ColumnElement[bool]:
    """Of a row of the mirror: a person has to decide about it, so no evidence is gathered any more."""
    return exists().where(
        deletions.c.customer_id == mirror.c.customer_id,
        deletions.c.resource == mirror.c.resource,
        deletions.c.source_id == mirror.c.source_id,
        deletions.c.state == "held",
    )


def remove_or_hold(connection: Connection, end: Finding, which: Sequence[ColumnElement[bool]]) -> Removed:
    """`which`: conditions on the mirror; of what is gone by the evidence."""
    resources, held = _resources(connection, which), 0
    for resource in resources:
        own = (*which, mirror.c.resource == resource)
        held += _hold(connection, end, own, allowed=end.fuse.allows(**_standing(connection, end, resource)))
    return Removed(gone=_portions(connection, end, resources, which), held=held)


def _portions(
    connection: Connection, end: Finding, resources: Sequence[str], which: Sequence[ColumnElement[bool]]
) -> Iterator[Sequence[Any]]:
    """What is not held goes."""
    for resource in resources:
        last: str | None = ""
        while last is not None:
            own = (*which, mirror.c.resource == resource, mirror.c.source_id > last)
            ids = connection.execute(_found(mirror.c.source_id, which=own).limit(STEP)).scalars().all()
            yield mark_gone(connection, end.customer_id, resource, ids, end.now)
            last = ids[-1] if len(ids) == STEP else None


def said_to_be_gone(connection: Connection, finding: Finding, resource: str, gone: Sequence[Gone]) -> Removed:
    """By the source itself, by their ids. Of what it says was deleted before we saw it last, nothing."""
    if not gone:
        return NOTHING
    own = (mirror.c.customer_id == finding.customer_id, mirror.c.resource == resource)
    return remove_or_hold(connection, finding, (*own, or_(*map(_is_older, gone))))


def _is_older(gone: Gone) -> ColumnElement[bool]:
    same = mirror.c.source_id == gone.source_id
    return same if gone.at is None else and_(same, mirror.c.source_updated_at <= gone.at)


def _resources(connection: Connection, which: Sequence[ColumnElement[bool]]) -> Sequence[str]:
    """Those of which something is gone."""
    query = select(mirror.c.resource).where(*which, mirror.c.deleted_at.is_(None), ~is_held())
    return connection.execute(query.distinct().order_by(mirror.c.resource)).scalars().all()


def _found(*columns: ColumnElement[Any], which: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """What is gone by the evidence, of one resource; the lowest ids first, and locked."""
    there = (*which, mirror.c.deleted_at.is_(None), ~is_held())
    return select(*columns).where(*there).order_by(mirror.c.source_id).with_for_update(of=mirror)


def _standing(connection: Connection, end: Finding, resource: str) -> dict[str, int]:
    """Records that were there when the day began, and how many of them went; what a person approved does not count."""
    own = (mirror.c.customer_id == end.customer_id, mirror.c.resource == resource)
    approved = exists().where(
        deletions.c.customer_id == mirror.c.customer_id,
        deletions.c.resource == mirror.c.resource,
        deletions.c.source_id == mirror.c.source_id,
        deletions.c.state == "approved",
    )
    went = (mirror.c.deleted_at > end.now - PERIOD) & ~approved
    query = select(
        func.count().filter(mirror.c.deleted_at.is_(None)).label("there"), func.count().filter(went).label("gone")
    ).where(*own)
    row = connection.execute(query).one()
    return {"known": row.there + row.gone, "gone": row.gone}


def mark_gone(
    connection: Connection, customer_id: str, resource: str, source_ids: Sequence[str], now: datetime
) -> Sequence[Any]:
    """Each with the version that its event is to have."""
    own = (mirror.c.customer_id == customer_id, mirror.c.resource == resource)
    values = {"deleted_at": now, "version": mirror.c.version + 1}
    rows: list[Any] = []
    for step in _steps(source_ids):
        marked = update(mirror).where(*own, mirror.c.source_id.in_(step), mirror.c.deleted_at.is_(None))
        rows += connection.execute(marked.values(values).returning(*FOUND)).all()
    return rows


def _hold(connection: Connection, end: Finding, which: Sequence[ColumnElement[bool]], *, allowed: int) -> int:
    """All but the first `allowed`, within the database: 300,000 are one statement. Returns how many."""
    cause = {
        "state": "held", "origin": end.origin, "run_id": end.run_id, "trace_id": end.trace_id, "held_at": end.now,
    }  # fmt: skip
    values = [literal(value, deletions.c[name].type) for name, value in cause.items()]
    rows = _found(mirror.c.customer_id, mirror.c.resource, mirror.c.source_id, *values, which=which).offset(allowed)
    names = ("customer_id", "resource", "source_id", *cause)
    statement = insert(deletions).from_select(names, rows)
    changes = {name: statement.excluded[name] for name in cause} | {"why": "", "actor": "", "resolved_at": None}
    held = statement.on_conflict_do_update(constraint=deletions.primary_key, set_=changes)
    # Otherwise the count of an INSERT is dropped.
    return connection.execute(held.execution_options(preserve_rowcount=True)).rowcount


def settle(connection: Connection, customer_id: str, resource: str, source_ids: Sequence[str], now: datetime) -> None:
    """These are there after all: nobody has to decide about them."""
    own = (deletions.c.customer_id == customer_id, deletions.c.resource == resource, HELD)
    there = update(deletions).where(*own, deletions.c.source_id.in_(source_ids))
    connection.execute(there.values(state="settled", resolved_at=now))


def _steps(source_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (source_ids[start : start + STEP] for start in range(0, len(source_ids), STEP))
