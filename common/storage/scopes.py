"""What is read scope by scope: which scopes there are, when each is due, and what a reading of one has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.sources import DueScope, ResourceTerms
from common.domain.stores import DueAt, ScopeEnd, ScopeToRead
from common.storage.tables import mirror, scopes

#: Parents planned in one statement: a hundred thousand users must not sit in memory at once.
STEP = 500
#: Absences that are evidence: one reading may err, or be lied to; the source would have to lie twice.
ABSENCES = 2
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
    """As `DetectionStore.next_scope`. One query for either kind: each is the first row of an index."""
    for is_history in (history_first, not history_first):
        query = (
            select(scopes)
            .filter_by(customer_id=customer_id, resource=resource, is_history=is_history)
            .where(scopes.c.due_at <= now, or_(scopes.c.read_at.is_(None), scopes.c.read_at < read_before))
            .order_by(scopes.c.due_at, scopes.c.scope)
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        if row is not None:
            return _with_parent(connection, row, terms)
    return None


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
    is_evidence = or_(scopes.c.whole_at.is_(None), scopes.c.whole_at <= end.evidence_before)
    noted = update(scopes).where(*own, is_evidence).values(whole_at=end.now)
    counts = end.is_evidence and connection.execute(noted).rowcount > 0
    connection.execute(update(scopes).where(*own).values(due_at=end.due_at, read_at=end.now, is_history=False))
    return counts


def count_absences(connection: Connection, end: ScopeEnd) -> Sequence[Any]:
    """One more for each record of the scope that this reading has not shown; those that are gone by that, marked as
    such, with the version of their last event.
    """
    own = (
        mirror.c.customer_id == end.customer_id,
        mirror.c.resource.in_((end.resource, *end.also)),
        mirror.c.scope == end.scope,
        mirror.c.deleted_at.is_(None),
        mirror.c.content_hash.not_like(BROKEN),
        mirror.c.scan_id != end.scan_id,
    )
    connection.execute(update(mirror).where(*own).values(absences=mirror.c.absences + 1))
    gone = update(mirror).where(*own, mirror.c.absences >= ABSENCES)
    values = {"deleted_at": end.now, "version": mirror.c.version + 1}
    found = (mirror.c.resource, mirror.c.source_id, mirror.c.version, mirror.c.body)
    return connection.execute(gone.values(values).returning(*found)).all()
