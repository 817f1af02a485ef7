"""The record of every request that reached either API, and of what the imports did.

An entry is sealed when it is complete, over itself and all that were sealed before it, so that nothing can be taken
from the journal, added or altered without a trace.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.sandbox.seals import Chain

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
    account: str | None = None  #: whose base URL was called, whatever the token; None for one of nobody's own
    finished_at: float | None = None
    status: int | None = None  #: None when the connection was dropped
    fault: str | None = None
    applied: bool = False  #: whether the request took effect (or, for a read, was answered from state)
    contact_ids: Collection[int] = ()
    references: tuple[tuple[str, str], ...] = ()
    writes: Collection[Write] = ()
    record_ids: Sequence[int] = ()
    touched: dict[str, str | None] | None = None  #: by record, its digest afterwards, as in `seals.Proofs`
    closed: int | None = None  #: the how manieth to be complete
    seal: str = ""

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

    def content(self) -> dict[str, Any]:
        """What its seal is of."""
        return {name: value for name, value in self.as_json().items() if name != "seal"}


class Journal:
    """Entries in order of arrival; `seq` counts from 1 without a gap."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._chain = Chain()

    def begin(
        self,
        *,
        at: float,
        system: str,
        organization: str | None,
        method: str,
        route: str = "",
        path: str = "",
        query: str = "",
        account: str | None = None,
    ) -> Entry:
        entry = Entry(len(self._entries) + 1, at, system, organization, method, route, path, query, account)
        self._entries.append(entry)
        return entry

    def close(self, entry: Entry, *, at: float, status: int | None) -> None:
        """Completes an entry; it must not be touched any more."""
        entry.status, entry.finished_at, entry.closed = status, at, self._chain.count + 1
        entry.seal = self._chain.add(entry.content())

    def sealed(self) -> dict[str, Any]:
        """How many entries there are, how many of them are complete, and the seal over these."""
        return {"entries": len(self._entries), **self._chain.as_json()}

    def after(self, seq: int, limit: int | None) -> Iterator[Entry]:
        end = len(self._entries) if limit is None else min(len(self._entries), seq + limit)
        for position in range(max(0, seq), end):
            yield self._entries[position]

    def __len__(self) -> int:
        return len(self._entries)
