"""The twin of `common.storage.scopes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from common.domain.entities import EntityKey
from common.domain.sources import DueScope, ResourceTerms
from common.domain.stores import DueAt, ScopeEnd, ScopeToRead
from common.storage.memory.removals import NOTHING, Removed, is_held, remove_or_hold
from common.storage.memory.tables import MirrorRow, Rows, ScopeRow

ABSENCES = 2
MOST_ABSENCES = 100


def plan(rows: Rows, customer_id: str, resource: str, terms: ResourceTerms, due_at: DueAt, now: datetime) -> None:
    """Roots, and one scope for each record of the parents."""
    for root in terms.roots:
        key = (customer_id, resource, root)
        rows.scopes.setdefault(key, _planned(ScopeRow(), 0, due_at(root, {}, None, now), now))
    for parent, kind in terms.parents.items():
        for entity, known in rows.mirror.items():
            if (entity.customer_id, entity.resource) != (customer_id, parent):
                continue
            key = (customer_id, resource, f"{kind}/{entity.source_id}")
            row = rows.scopes.get(key)
            if row is None or row.parent_version != known.version:
                due = _due(key[2], known, row or ScopeRow(), due_at, now) if _is_there(known) else None
                rows.scopes[key] = _planned(row or ScopeRow(), known.version, due, now)


def unplan(rows: Rows, customer_id: str) -> None:
    """As `DetectionStore.unplan_scopes`."""
    for key, row in list(rows.scopes.items()):
        if key[0] == customer_id and row.parent_version > 0:
            rows.scopes[key] = replace(row, parent_version=-row.parent_version)


def _due(scope: str, known: MirrorRow, row: ScopeRow, due_at: DueAt, now: datetime) -> datetime | None:
    if row.parent_version != -known.version or row.read_at is None:
        return due_at(scope, known.body, None, now)
    return min(filter(None, (row.due_at, due_at(scope, known.body, row.read_at, now))), default=None)


def _planned(row: ScopeRow, version: int, due: datetime | None, now: datetime) -> ScopeRow:
    is_history = row.read_at is None and due == now
    return replace(row, parent_version=version, due_at=due, is_history=is_history)


def _is_there(known: MirrorRow) -> bool:
    return known.deleted_at is None and not known.content_hash.startswith("broken:")


def make_due(rows: Rows, customer_id: str, found: Sequence[DueScope], now: datetime) -> None:
    """Those that an answer has shown to be worth reading now."""
    for each in found:
        key = (customer_id, each.resource, each.scope)
        row = rows.scopes.get(key, ScopeRow())
        rows.scopes[key] = replace(row, due_at=min(row.due_at or now, now), is_history=False)


def most_urgent(
    rows: Rows, customer_id: str, resource: str, terms: ResourceTerms, now: datetime, *, read_before: datetime,
    history_first: bool,
) -> ScopeToRead | None:  # fmt: skip
    """As `DetectionStore.next_scope`."""
    due = [
        (row.is_history is not history_first, row.due_at, key[2])
        for key, row in rows.scopes.items()
        if key[:2] == (customer_id, resource)
        and row.due_at is not None
        and row.due_at <= now
        and (row.read_at is None or row.read_at < read_before)
    ]
    return one_scope(rows, customer_id, resource, terms, min(due)[2]) if due else None


def one_scope(rows: Rows, customer_id: str, resource: str, terms: ResourceTerms, scope: str) -> ScopeToRead:
    """As `DetectionStore.scope`."""
    row = rows.scopes.get((customer_id, resource, scope), ScopeRow())
    parent = _parent(rows, customer_id, terms, scope)
    return ScopeToRead(scope=scope, parent=parent, read_at=row.read_at, whole_at=row.whole_at)


def _parent(rows: Rows, customer_id: str, terms: ResourceTerms, scope: str) -> Mapping[str, Any]:
    kind, _, source_id = scope.partition("/")
    resource = next((each for each, own in terms.parents.items() if own == kind), "")
    known = rows.mirror.get(EntityKey(customer_id=customer_id, resource=resource, source_id=source_id))
    return known.body if known else {}


def note_reading(rows: Rows, end: ScopeEnd) -> bool:
    """When it was read, and when it is to be read again. Returns whether it counts as evidence."""
    key = (end.customer_id, end.resource, end.scope)
    row = rows.scopes.get(key) if end.full_since is None else rows.scopes.get(key, ScopeRow())
    if row is None:
        return False
    counts = end.is_evidence and (row.whole_at is None or row.whole_at <= end.evidence_before)
    whole_at = end.now if counts else row.whole_at
    rows.scopes[key] = replace(row, due_at=end.due_at, read_at=end.now, whole_at=whole_at, is_history=False)
    return counts


def count_absences(rows: Rows, end: ScopeEnd) -> Removed:
    """One more for each record that was not shown; those that are gone by that."""
    gone = []
    for entity, known in list(rows.mirror.items()):
        own = entity.customer_id == end.customer_id and entity.resource in (end.resource, *end.also)
        if not own or not _is_there(known) or not _is_missing(known, end):
            continue
        absences = min(known.absences + 1, MOST_ABSENCES)
        rows.mirror[entity] = replace(known, absences=absences)
        if absences >= ABSENCES:
            gone.append(entity)
    return remove_or_hold(rows, end, gone)


def _is_missing(known: MirrorRow, end: ScopeEnd) -> bool:
    if end.full_since is None:
        return known.scope == end.scope and known.scan_id != end.scan_id
    return known.full_scan_id != end.scan_id and known.seen_at < end.full_since


def next_suspect(rows: Rows, customer_id: str, resource: str, after: str) -> str | None:
    """As `DetectionStore.next_suspect`."""
    found = [
        entity.source_id
        for entity, known in rows.mirror.items()
        if (entity.customer_id, entity.resource) == (customer_id, resource)
        and entity.source_id > after
        and known.absences
        and _is_there(known)
        and not is_held(rows, entity)
    ]
    return min(found, default=None)


def look_for(rows: Rows, end: ScopeEnd, source_id: str) -> Removed:
    """It is not there by its id either."""
    entity = EntityKey(customer_id=end.customer_id, resource=end.resource, source_id=source_id)
    known = rows.mirror[entity]
    if not known.absences or not _is_there(known):
        return NOTHING
    if end.is_evidence:
        return remove_or_hold(rows, end, [entity])
    rows.mirror[entity] = replace(known, absences=0, seen_at=end.now)
    return NOTHING
