"""Rows of the mirror: what it holds of a page's entities, and how it takes up what is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.stores import PageToSave
from common.storage.items import Item, Known, belonging
from common.storage.removals import settle
from common.storage.tables import mirror


def known_of(connection: Connection, page: PageToSave, source_ids: Sequence[str]) -> dict[str, Known]:
    rows = connection.execute(
        select(
            mirror.c.source_id,
            mirror.c.version,
            mirror.c.source_updated_at,
            mirror.c.content_hash,
            mirror.c.deleted_at.is_not(None).label("is_deleted"),
            mirror.c.scope,
        )
        .where(
            tuple_(mirror.c.customer_id, mirror.c.resource) == (page.customer_id, page.resource),
            mirror.c.source_id.in_(source_ids),
        )
        # Others may raise an entity's version too (`apply_again`).
        .with_for_update()
    )
    return {
        row.source_id: Known(row.version, row.source_updated_at, row.content_hash, row.is_deleted, row.scope)
        for row in rows
    }


def mark_seen(connection: Connection, page: PageToSave, source_ids: Sequence[str]) -> None:
    connection.execute(
        update(mirror)
        .where(
            and_(mirror.c.customer_id == page.customer_id, mirror.c.resource == page.resource),
            mirror.c.source_id.in_(source_ids),
        )
        .values(
            scan_id=page.scan_id,
            seen_at=page.now,
            absences=0,
            **({"scope": page.scope} if page.shows_all else {}),
            **_full_scan(page),
        )
    )
    settle(connection, page.customer_id, page.resource, source_ids, page.now)


def _full_scan(page: PageToSave) -> dict[str, str]:
    """Only pages of a full scan say so, and no other takes it back."""
    return {"full_scan_id": page.full_scan_id} if page.full_scan_id else {}


def mirror_row(page: PageToSave, item: Item, known: Known | None, version: int) -> dict[str, Any]:
    return {
        "customer_id": page.customer_id,
        "resource": page.resource,
        "source_id": item.source_id,
        "version": version,
        "source_updated_at": item.updated_at,
        "content_hash": item.content_hash,
        "body": dict(item.body),
        "raw": item.raw,
        "scan_id": page.scan_id,
        "seen_at": page.now,
        "deleted_at": None,
        "absences": 0,
        "scope": belonging(page, item, known),
        **_full_scan(page),
    }


def upsert_mirror(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    statement = insert(mirror).values(rows)
    keys = {"customer_id", "resource", "source_id"}
    changes = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=sorted(keys), set_=changes))
