"""The record of every request that reached either API, and of what the imports did."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Write = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """One request, or one import run (method IMPORT); it is complete once `finished_at` is set."""

    seq: int
    started_at: float
    system: str
    organization: str | None
    method: str
    route: str
    path: str
    query: str
    finished_at: float | None = None
    status: int | None = None  #: None when the connection was dropped
    fault: str | None = None
    applied: bool = False  #: whether the request took effect (or, for a read, was answered from state)
    contact_ids: Collection[int] = ()
    references: tuple[tuple[str, str], ...] = ()
    writes: Collection[Write] = ()
    record_ids: Sequence[int] = ()

    def wrote(self, write: Write) -> None:
        """Notes a write; an empty tuple costs nothing until there is one."""
        if not isinstance(self.writes, list):
            self.writes = []
        self.writes.append(write)
        if write["contact_id"] is not None:
            self.saw(write["contact_id"])

    def saw(self, contact_id: int) -> None:
        """Notes a contact once."""
        if not isinstance(self.contact_ids, dict):
            self.contact_ids = dict.fromkeys(self.contact_ids)
        self.contact_ids[contact_id] = None

    def as_json(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in Entry.__slots__}
        return {**row, "contact_ids": list(self.contact_ids), "record_ids": list(self.record_ids)}


class Journal:
    """Entries in order of arrival; `seq` counts from 1 without a gap."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def begin(
        self, *, at: float, system: str, organization: str | None, method: str, route: str, path: str, query: str
    ) -> Entry:
        entry = Entry(len(self._entries) + 1, at, system, organization, method, route, path, query)
        self._entries.append(entry)
        return entry

    def after(self, seq: int, limit: int | None) -> Iterator[Entry]:
        end = len(self._entries) if limit is None else min(len(self._entries), seq + limit)
        for position in range(max(0, seq), end):
            yield self._entries[position]

    def __len__(self) -> int:
        return len(self._entries)
