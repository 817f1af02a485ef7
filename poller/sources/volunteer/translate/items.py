"""Items of one list, each apart: one that cannot be read becomes a BrokenRecord and spoils no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.domain.errors import RecordInvalid
from common.domain.records import BrokenRecord, Record, content_hash
from poller.sources.volunteer.translate.numbers import spelled_id


@dataclass(frozen=True, kw_only=True)
class Items:
    """What became of a list."""

    records: list[Record]
    broken: list[BrokenRecord]

    def __add__(self, other: Items) -> Items:
        return Items(records=self.records + other.records, broken=self.broken + other.broken)

    @property
    def distinct(self) -> int:
        """How many entities: equal rows that cannot be told apart are one."""
        seen = {(record.resource, record.source_id) for record in self.records}
        return len(seen | {(broken.resource, broken.source_id) for broken in self.broken})


def read_items(items: Iterable[Any], resource: str, read: Callable[[Any], Record | None]) -> Items:
    """Each with its own id; `read` gives None for what is no record."""
    return read_identified(((_own_id(item), item) for item in items), resource, lambda _, item: read(item))


def read_identified(
    items: Iterable[tuple[str, Any]], resource: str, read: Callable[[str, Any], Record | None]
) -> Items:
    """Each with the id it is given; what has none is told apart by its content, so that repeats meet."""
    records: list[Record] = []
    broken: list[BrokenRecord] = []
    for source_id, item in items:
        try:
            record = read(source_id, item)
        except RecordInvalid as error:
            broken.append(
                BrokenRecord(
                    resource=resource,
                    source_id=source_id or "unreadable-" + content_hash({"raw": item}),
                    reason=error.reason,
                    field=error.field,
                    message=str(error),
                    raw=item,
                    is_identified=bool(source_id),
                )
            )
        else:
            records += [record] if record is not None else []
    return Items(records=records, broken=broken)


def _own_id(item: Any) -> str:
    raw_id = item.get("id") if isinstance(item, Mapping) else None
    known = isinstance(raw_id, str | int | float) and not isinstance(raw_id, bool)
    return spelled_id(str(raw_id).strip()) if known else ""
