"""What a source connector must do: give pages of normalised records. It knows nothing of checkpoints or events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.domain.records import BrokenRecord, Record


@dataclass(frozen=True, kw_only=True)
class PageQuery:
    """Where to read. With `next_page`, the rest is ignored: it already carries the filters."""

    resource: str
    #: Inclusive bounds on `updated_at`; None means unbounded.
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    next_page: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer of a list."""

    records: Sequence[Record]
    broken: Sequence[BrokenRecord]
    #: The source's own address of the next page; None at the end.
    next_page: str | None
    #: How many records match in all, as the source says; None if it does not say, and then no scan is sealed.
    total: int | None
    #: The source's clock at the answer; None if it does not say.
    answered_at: datetime | None

    @property
    def item_count(self) -> int:
        return len(self.records) + len(self.broken)


class Source(Protocol):
    """A source bound to one customer's account."""

    #: Resources it can list.
    resources: Sequence[str]

    def page(self, query: PageQuery) -> Page:
        """Make exactly one request. Raises TransientError, RateLimited or CustomerBlocked, never anything of httpx."""
        ...
