"""What is read scope by scope: which scopes there are, when each is due, and what a reading of one has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from common.domain.sources import DueScope, ResourceTerms
from common.domain.stores import DueAt, ScopeEnd, ScopeToRead
from common.storage.removals import NOTHING, Removed, is_held, remove_or_hold
from common.storage.tables import mirror, scopes

#: Parents planned in one statement: a hundred thousand users must not sit in memory at once.
STEP = 500
#: Absences that are evidence: one reading may err, or be lied to; the source would have to lie twice.
ABSENCES = 2
#: Of a record that is held for months, no more are counted: the column is a small one.
MOST_ABSENCES = 100
#: What could not be read is a dead letter already, and says nothing of what was there before.
BROKEN = "broken:%"


def plan(engine: Engine, customer_id: str, resource: str, terms: ResourceTerms, due_at: DueAt, now: datetime) -> None:
    """Roots, and one scope for each record of the parents; in steps, a transaction each."""
    roots = [_planned(root, 0, due_at(root, {}, None, now), now) for root in terms.roots]
    with engine.begin() as connection:
        _add(connection, customer_id, resource, roots)
    for parent, kind in terms.parents.items():
        last: str | None = ""
        while last is not None:
            with engine.begin() as connection:
                rows = _unplanned(connection, customer_id, resource, parent, kind, last)
                _put(connection, customer_id, resource, [_of_parent(row, kind, due_at, now) for row in rows])
            last = rows[-1].source_id if len(rows) == STEP else None


def unplan(engine: Engine, customer_id: str) -> None:
    """As `DetectionStore.unplan_scopes`: the version that each was reckoned from is kept, with its sign turned."""
    own = scopes.c.customer_id == customer_id, scopes.c.parent_version > 0
    with engine.begin() as connection:
        connection.execute(update(scopes).where(*own).values(parent_version=-scopes.c.parent_version))


def _unplanned(
    connection: Connection, customer_id: str, resource: str, parent: str, kind: str, last: str
) -> Sequence[Any]:
    """Parents without a scope, or with another version than the one that it was reckoned from; the next after `last`,
    so that a hundred thousand are gone through once.
    """
    reckoned = scopes.c.parent_version.label("reckoned_from"), scopes.c.due_at, scopes.c.read_at
    name = literal(f"{kind}/") + mirror.c.source_id
    same = and_(scopes.c.customer_id == customer_id, scopes.c.resource == resource, scopes.c.scope == name)
    query = (
        select(
            mirror.c.source_id, mirror.c.version, mirror.c.body, mirror.c.deleted_at, mirror.c.content_hash, *reckoned
        )
        .select_from(mirror.outerjoin(scopes, same))
        .where(mirror.c.customer_id == customer_id, mirror.c.resource == parent, mirror.c.source_id > last)
        .where(or_(scopes.c.scope.is_(None), scopes.c.parent_version != mirror.c.version))
        .order_by(mirror.c.source_id)
        .limit(STEP)
    )
    return connection.execute(query).all()


def _of_parent(row: Any, kind: str, due_at: DueAt, now: datetime) -> dict[str, Any]:
    """Of a parent that is gone, or could not be read, nothing is to be read."""
    scope, is_there = f"{kind}/{row.source_id}", row.deleted_at is None and not row.content_hash.startswith("broken:")
    return _planned(scope, row.version, _due(scope, row, due_at, now) if is_there else None, now)


def _due(scope: str, row: Any, due_at: DueAt, now: datetime) -> datetime | None:
    """Where the parent is as it was, from the last reading; and what was due before is not put off."""
    if row.reckoned_from != -row.version or row.read_at is None:
        return due_at(scope, row.body, None, now)
    return min(filter(None, (row.due_at, due_at(scope, row.body, row.read_at, now))), default=None)


def _planned(scope: str, version: int, due: datetime | None, now: datetime) -> dict[str, Any]:
    """What a source wants read soon is overdue from the start, or due later; the rest is history."""
    return {"scope": scope, "parent_version": version, "due_at": due, "is_history": due == now}


def _add(connection: Connection, customer_id: str, resource: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        keyed = [{"customer_id": customer_id, "resource": resource, **row} for row in rows]
        connection.execute(insert(scopes).values(keyed).on_conflict_do_nothing())


def _put(connection: Connection, customer_id: str, resource: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        keyed = [{"customer_id": customer_id, "resource": resource, **row} for row in rows]
        statement = insert(scopes).values(keyed)
        # What has been read once is regular work from then on.
        changes: dict[str, Any] = {"is_history": and_(statement.excluded.is_history, scopes.c.read_at.is_(None))}
        changes |= {name: statement.excluded[name] for name in ("parent_version", "due_at")}
        connection.execute(statement.on_conflict_do_update(constraint=scopes.primary_key, set_=changes))


def make_due(connection: Connection, customer_id: str, found: Sequence[DueScope], now: datetime) -> None:
    """Those that an answer has shown to be worth reading now; earlier ones keep their time."""
    for each in found:
        row = {"customer_id": customer_id, "resource": each.resource, "scope": each.scope, "due_at": now}
        statement = insert(scopes).values(row)
        sooner = func.least(func.coalesce(scopes.c.due_at, now), now)
        changes = {"due_at": sooner, "is_history": False}
        connection.execute(statement.on_conflict_do_update(constraint=scopes.primary_key, set_=changes))


def most_urgent(
    connection: Connection,
    customer_id: str,
    resource: str,
    terms: ResourceTerms,
    now: datetime,
    *,
    read_before: datetime,
    history_first: bool,
) -> ScopeToRead | None:
    """As `DetectionStore.next_scope`. Of either kind the first row of an index, in one round trip."""
    firsts = [
        select(scopes)
        .filter_by(customer_id=customer_id, resource=resource, is_history=is_history)
        .where(scopes.c.due_at <= now, or_(scopes.c.read_at.is_(None), scopes.c.read_at < read_before))
        .order_by(scopes.c.due_at, scopes.c.scope)
        .limit(1)
        .subquery()
        for is_history in (False, True)
    ]
    either = union_all(*map(select, firsts)).subquery()
    kind = either.c.is_history.desc() if history_first else either.c.is_history
    row = connection.execute(select(either).order_by(kind).limit(1)).one_or_none()
    return None if row is None else _with_parent(connection, row, terms)


def one_scope(connection: Connection, customer_id: str, resource: str, terms: ResourceTerms, scope: str) -> ScopeToRead:
    """As `DetectionStore.scope`."""
    query = select(scopes).filter_by(customer_id=customer_id, resource=resource, scope=scope)
    row = connection.execute(query).one_or_none()
    return ScopeToRead(scope=scope, parent={}) if row is None else _with_parent(connection, row, terms)


def _with_parent(connection: Connection, row: Any, terms: ResourceTerms) -> ScopeToRead:
    return ScopeToRead(
        scope=row.scope, parent=_parent(connection, row, terms), read_at=row.read_at, whole_at=row.whole_at
    )


def _parent(connection: Connection, row: Any, terms: ResourceTerms) -> Mapping[str, Any]:
    kind, _, source_id = row.scope.partition("/")
    parent = next((resource for resource, own in terms.parents.items() if own == kind), None)
    if parent is None:
        return {}
    query = select(mirror.c.body).filter_by(customer_id=row.customer_id, resource=parent, source_id=source_id)
    return connection.execute(query).scalar_one_or_none() or {}


def note_reading(connection: Connection, end: ScopeEnd) -> bool:
    """When it was read, and when it is to be read again. Returns whether it counts as evidence."""
    own = scopes.c.customer_id == end.customer_id, scopes.c.resource == end.resource, scopes.c.scope == end.scope
    if end.full_since is not None:  # Nobody plans a full scan as a scope; it has a row for its evidence all the same.
        row = {"customer_id": end.customer_id, "resource": end.resource, "scope": end.scope}
        connection.execute(insert(scopes).values(row).on_conflict_do_nothing())
    before = select(scopes.c.scope, scopes.c.whole_at).where(*own).with_for_update().cte("before")
    is_evidence = and_(literal(end.is_evidence), func.coalesce(before.c.whole_at <= end.evidence_before, true()))
    whole_at = case((is_evidence, end.now), else_=before.c.whole_at)
    noted = update(scopes).where(*own, before.c.scope == scopes.c.scope).returning(is_evidence)
    values = {"due_at": end.due_at, "read_at": end.now, "is_history": False, "whole_at": whole_at}
    return bool(connection.execute(noted.values(values)).scalar_one_or_none())


def count_absences(connection: Connection, end: ScopeEnd) -> Removed:
    """One more for each record of the scope that this reading has not shown; those that are gone by that, marked as
    such, as far as the fuse lets them.
    """
    own = (
        mirror.c.customer_id == end.customer_id,
        mirror.c.resource.in_((end.resource, *end.also)),
        mirror.c.deleted_at.is_(None),
        mirror.c.content_hash.not_like(BROKEN),
        *_not_shown(end),
    )
    one_more = func.least(mirror.c.absences + 1, MOST_ABSENCES)
    if connection.execute(update(mirror).where(*own).values(absences=one_more)).rowcount == 0:
        return NOTHING  # as almost always
    return remove_or_hold(connection, end, (*own, mirror.c.absences >= ABSENCES))


def _not_shown(end: ScopeEnd) -> Sequence[ColumnElement[bool]]:
    """By a reading of a scope, or by a full scan; during one that takes hours, others see records too."""
    if end.full_since is None:
        return mirror.c.scope == end.scope, mirror.c.scan_id != end.scan_id
    return mirror.c.full_scan_id != end.scan_id, mirror.c.seen_at < end.full_since


def next_suspect(connection: Connection, customer_id: str, resource: str, after: str) -> str | None:
    """As `DetectionStore.next_suspect`."""
    query = (
        select(mirror.c.source_id)
        .where(mirror.c.customer_id == customer_id, mirror.c.resource == resource, mirror.c.source_id > after)
        .where(mirror.c.absences > 0, mirror.c.deleted_at.is_(None), mirror.c.content_hash.not_like(BROKEN))
        .where(~is_held())
        .order_by(mirror.c.source_id)
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def look_for(connection: Connection, end: ScopeEnd, source_id: str) -> Removed:
    """As `DetectionStore.end_look`. One that somebody has seen since it became a suspect is none any more."""
    own = (
        mirror.c.customer_id == end.customer_id,
        mirror.c.resource == end.resource,
        mirror.c.source_id == source_id,
        mirror.c.absences > 0,
        mirror.c.content_hash.not_like(BROKEN),
    )
    if end.is_evidence:
        return remove_or_hold(connection, end, own)
    connection.execute(update(mirror).where(*own).values(absences=0, seen_at=end.now))
    return NOTHING
