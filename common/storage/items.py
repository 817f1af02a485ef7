"""What a page holds, record or not, and how it compares with the mirror."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from common.domain.records import BrokenRecord, Record, content_hash
from common.domain.stores import PageToSave

#: The `occurred_at` of an item whose own time could not be read.
UNREADABLE_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What the mirror holds of an entity."""

    version: int
    source_updated_at: datetime
    content_hash: str
    is_deleted: bool = False
    scope: str = ""


@dataclass(frozen=True)
class Item:
    """A record or a broken one, as a mirror row."""

    source_id: str
    updated_at: datetime
    content_hash: str
    body: Mapping[str, Any]
    raw: Any
    broken: BrokenRecord | None
    #: As `Record.scope`.
    scope: str = ""


def by_resource(page: PageToSave) -> list[PageToSave]:
    """The same page once for each resource that it shows records of."""
    names = dict.fromkeys([*(each.resource for each in page.records), *(each.resource for each in page.broken)])
    return [
        replace(
            page,
            resource=name,
            records=[record for record in page.records if record.resource == name],
            broken=[broken for broken in page.broken if broken.resource == name],
        )
        for name in names
    ]


def of_record(record: Record) -> Item:
    return Item(
        record.source_id, record.updated_at, record.content_hash, record.body, dict(record.raw), None, record.scope
    )


def of_broken(broken: BrokenRecord) -> Item:
    digest = "broken:" + content_hash({"raw": broken.raw})
    return Item(broken.source_id, UNREADABLE_TIME, digest, {}, broken.raw, broken)


def newest_of_each(items: Iterable[Item]) -> list[Item]:
    """A page may repeat an id; the later of its versions counts."""
    newest: dict[str, Item] = {}
    for item in items:
        other = newest.get(item.source_id)
        if other is None or item.updated_at >= other.updated_at:
            newest[item.source_id] = item
    return list(newest.values())


def belonging(page: PageToSave, item: Item, known: Known | None) -> str:
    """The scope that can tell of its absence. One that was found to be wrong about that, for the record is back where
    another scope shows it, is not believed again until it shows the record itself.
    """
    if page.shows_all:
        return page.scope
    if known is None:
        return item.scope
    return "" if known.is_deleted else known.scope


def is_stale(item: Item, known: Known | None) -> bool:
    """An answer that was under way while a newer one was saved: what we have is newer."""
    return known is not None and item.broken is None and item.updated_at < known.source_updated_at


def is_changed(item: Item, known: Known | None) -> bool:
    return known is None or known.is_deleted or known.content_hash != item.content_hash
