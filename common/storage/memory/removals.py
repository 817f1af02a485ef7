"""The twin of `common.storage.removals`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.domain.entities import EntityKey
from common.domain.fuse import PERIOD
from common.domain.sources import Gone
from common.storage.memory.tables import DeletionRow, Rows
from common.storage.removals import Finding


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What became of what is gone."""

    gone: Sequence[EntityKey]
    held: int


NOTHING = Removed(gone=(), held=0)


def is_held(rows: Rows, entity: EntityKey) -> bool:
    row = rows.deletions.get(entity)
    return row is not None and row.state == "held"


def remove_or_hold(rows: Rows, end: Finding, found: Iterable[EntityKey]) -> Removed:
    """What is gone by the evidence: as far as the fuse lets it; the rest is held."""
    ordered = sorted(
        (e for e in found if not is_held(rows, e) and rows.mirror[e].deleted_at is None),
        key=lambda entity: (entity.resource, entity.source_id),
    )
    gone: list[EntityKey] = []
    for resource in sorted({entity.resource for entity in ordered}):
        own = [entity for entity in ordered if entity.resource == resource]
        allowed = _allowed(rows, end, resource)
        gone += [mark_gone(rows, entity, end.now) for entity in own[:allowed]]
        for entity in own[allowed:]:
            rows.deletions[entity] = DeletionRow(
                origin=end.origin, run_id=end.run_id, trace_id=end.trace_id, held_at=end.now
            )
    return Removed(gone=gone, held=len(ordered) - len(gone))


def said_to_be_gone(rows: Rows, finding: Finding, resource: str, gone: Iterable[Gone]) -> Removed:
    """By the source itself, by their ids."""
    found = []
    for each in gone:
        entity = EntityKey(customer_id=finding.customer_id, resource=resource, source_id=each.source_id)
        known = rows.mirror.get(entity)
        if known is not None and (each.at is None or known.source_updated_at <= each.at):
            found.append(entity)
    return remove_or_hold(rows, finding, found)


def _allowed(rows: Rows, end: Finding, resource: str) -> int:
    own = [(e, row) for e, row in rows.mirror.items() if (e.customer_id, e.resource) == (end.customer_id, resource)]
    there = sum(row.deleted_at is None for _, row in own)
    approved = {entity for entity, row in rows.deletions.items() if row.state == "approved"}
    went = sum(
        row.deleted_at is not None and row.deleted_at > end.now - PERIOD and entity not in approved
        for entity, row in own
    )
    return end.fuse.allows(known=there + went, gone=went)


def mark_gone(rows: Rows, entity: EntityKey, now: datetime) -> EntityKey:
    known = rows.mirror[entity]
    rows.mirror[entity] = replace(known, version=known.version + 1, deleted_at=now)
    return entity


def settle(rows: Rows, entity: EntityKey, now: datetime) -> None:
    """It is there after all."""
    if is_held(rows, entity):
        rows.deletions[entity] = replace(rows.deletions[entity], state="settled", resolved_at=now)
