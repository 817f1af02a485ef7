"""What is gone by the evidence: taken out of the mirror as far as the fuse lets it, and held beyond that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update
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

    #: Rows of the mirror, with the version of their last event.
    gone: Sequence[Any]
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
    gone: list[Any] = []
    held = 0
    for resource, found in _by_resource(connection, which).items():
        allowed = end.fuse.allows(**_standing(connection, end, resource))
        gone += mark_gone(connection, end.customer_id, resource, found[:allowed], end.now)
        held += _hold(connection, end, resource, found[allowed:])
    return Removed(gone=gone, held=held)


def said_to_be_gone(connection: Connection, finding: Finding, resource: str, gone: Sequence[Gone]) -> Removed:
    """By the source itself, by their ids. Of what it says was deleted before we saw it last, nothing."""
    if not gone:
        return NOTHING
    own = (mirror.c.customer_id == finding.customer_id, mirror.c.resource == resource)
    return remove_or_hold(connection, finding, (*own, or_(*map(_is_older, gone))))


def _is_older(gone: Gone) -> ColumnElement[bool]:
    same = mirror.c.source_id == gone.source_id
    return same if gone.at is None else and_(same, mirror.c.source_updated_at <= gone.at)


def _by_resource(connection: Connection, which: Sequence[ColumnElement[bool]]) -> Mapping[str, Sequence[str]]:
    query = (
        select(mirror.c.resource, mirror.c.source_id)
        .where(*which, mirror.c.deleted_at.is_(None), ~is_held())
        .order_by(mirror.c.resource, mirror.c.source_id)
        .with_for_update(of=mirror)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.resource].append(row.source_id)
    return found


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


def _hold(connection: Connection, end: Finding, resource: str, source_ids: Sequence[str]) -> int:
    common = {
        "customer_id": end.customer_id, "resource": resource, "state": "held", "origin": end.origin,
        "run_id": end.run_id, "trace_id": end.trace_id, "held_at": end.now,
    }  # fmt: skip
    anew = {"why": "", "actor": "", "resolved_at": None}
    for step in _steps(source_ids):
        statement = insert(deletions).values([{**common, "source_id": source_id} for source_id in step])
        changes = {name: statement.excluded[name] for name in ("state", "origin", "run_id", "trace_id", "held_at")}
        connection.execute(statement.on_conflict_do_update(constraint=deletions.primary_key, set_=changes | anew))
    return len(source_ids)


def settle(connection: Connection, customer_id: str, resource: str, source_ids: Sequence[str], now: datetime) -> None:
    """These are there after all: nobody has to decide about them."""
    own = (deletions.c.customer_id == customer_id, deletions.c.resource == resource, HELD)
    there = update(deletions).where(*own, deletions.c.source_id.in_(source_ids))
    connection.execute(there.values(state="settled", resolved_at=now))


def _steps(source_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (source_ids[start : start + STEP] for start in range(0, len(source_ids), STEP))
