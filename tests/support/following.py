"""A pretended source that tells its changes since a cursor, and lists all there is; its cursors expire on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.domain.errors import CursorExpired
from common.domain.records import Record
from common.domain.resources import USERS
from common.domain.sources import PRESENT, Gone, Page, PageQuery, ResourceTerms, Style
from support.builders import NOW, a_record


@dataclass
class Ledger:
    """A log of changes in the order of their commits, which need not be that of their stamps."""

    page_size: int = 2
    clock: datetime = NOW
    rows: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    #: Ids, one for each change; a cursor is how many of them it has seen.
    log: list[str] = field(default_factory=list)
    gone_at: dict[str, datetime] = field(default_factory=dict)
    #: Cursors below this are forgotten.
    floor: int = 0
    #: Changes before a page's own that it shows once more.
    overlap: int = 0
    tells_times: bool = True
    between: Callable[[], object] = lambda: None
    queries: list[PageQuery] = field(default_factory=list)
    has_details: bool = True
    resources = (USERS,)

    @property
    def terms(self) -> dict[str, ResourceTerms]:
        return {USERS: ResourceTerms(style=Style.CURSOR, one="user" if self.has_details else "")}

    @property
    def kinds(self) -> list[str]:
        """What was asked for, request by request."""
        return [_kind(query) for query in self.queries]

    def put(self, *source_ids: str, name: str = "name", at: datetime | None = None) -> None:
        for source_id in source_ids:
            self.rows[source_id] = (name, at or self.clock)
            self.log.append(source_id)

    def take(self, source_id: str) -> None:
        if self.rows.pop(source_id, None) is not None:
            self.gone_at[source_id] = self.clock
            self.log.append(source_id)

    def forget(self) -> None:
        """Every cursor that was given out so far, but for one of this very moment."""
        self.floor = len(self.log)

    def expire(self) -> None:
        """That one too."""
        self.log.append("nobody")
        self.forget()

    def page(self, query: PageQuery) -> Page:
        self.queries.append(query)
        self.between()
        self.clock += timedelta(seconds=1)
        if query.scope:
            is_gone = query.scope.partition("/")[2] not in self.rows
            return Page(records=(), broken=(), next_page=None, total=1, answered_at=None, is_gone=is_gone)
        if query.cursor == PRESENT:
            return Page(records=(), broken=(), next_page=None, total=None, answered_at=None, cursor=self._cursor())
        return self._changes(query) if query.cursor is not None else self._list(query)

    def _cursor(self) -> str:
        return f"after-{len(self.log)}"

    def _list(self, query: PageQuery) -> Page:
        found, start = sorted(self.rows), int(query.next_page or 0)
        end = start + self.page_size
        return Page(
            records=[self._record(each) for each in found[start:end]], broken=(), total=len(found), answered_at=None,
            next_page=str(end) if end < len(found) else None,
        )  # fmt: skip

    def _changes(self, query: PageQuery) -> Page:
        start = int((query.next_page or query.cursor or "").rpartition("-")[2])
        if start < self.floor:
            raise CursorExpired("the source has forgotten the cursor")
        end = start + self.page_size
        ids = dict.fromkeys(self.log[max(0, start - self.overlap) : end])
        is_last = end >= len(self.log)
        return Page(
            records=[self._record(each) for each in ids if each in self.rows], broken=(), total=None, answered_at=None,
            gone=[self._gone(each) for each in ids if each not in self.rows],
            next_page=None if is_last else f"page-{end}", cursor=self._cursor() if is_last else None,
        )  # fmt: skip

    def _record(self, source_id: str) -> Record:
        name, at = self.rows[source_id]
        return a_record(source_id, at=at, last_name=name)

    def _gone(self, source_id: str) -> Gone:
        return Gone(source_id=source_id, at=self.gone_at.get(source_id) if self.tells_times else None)


def _kind(query: PageQuery) -> str:
    if query.scope:
        return "look"
    if query.cursor is None:
        return "list"
    return "present" if query.cursor == PRESENT else "changes"
