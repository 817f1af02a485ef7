"""What a destination connector may have besides: it can show many of its records at once, to be compared with ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from common.domain.writes import Found, Write


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How a resource's records can be listed in this account."""

    #: Records of the largest page.
    page_rows: int
    #: Records that one request can show by their ids.
    rows_by_id: int
    #: Whether it can be asked for those that were modified since a moment.
    takes_since: bool


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """Where to read."""

    resource: str
    #: As the page before gave it; empty: the first.
    after: str = ""
    #: Only with `takes_since`. Inclusive.
    modified_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One page: records of the destination, ours or not."""

    found: Sequence[Found]
    #: For the next page; None at the end.
    after: str | None


@runtime_checkable
class Lists(Protocol):
    """Bound to one customer's account. Archived records are listed too. Ids are numbers, and a newer one is higher.

    Raises as `Destination.look`.
    """

    def listing(self, resource: str) -> Listing | None:
        """None: there is no list. A request if it is not remembered what the account offers."""
        ...

    def is_kept(self, resource: str) -> bool:
        """False: this account keeps nothing of it that could be looked at. As `listing`."""
        ...

    def list_page(self, query: ListQuery) -> Listed:
        """Exactly one request. A page that lacks rows is refused, with PageUnreadable: they would seem lost."""
        ...

    def list_count(self, resource: str, up_to: str) -> int:
        """How many records there are with ids up to this one: fewer than before means that some have vanished."""
        ...

    def read_back(self, resource: str, destination_ids: Sequence[str]) -> Mapping[str, Found]:
        """These very records; what is not there is missing. As few requests as the API allows."""
        ...

    def claimed(self, resource: str, found: Found) -> Sequence[str]:
        """Source ids that a record carries as ours, whether we have linked it or not. Empty: it is somebody else's, or
        is shown no more, or its kind carries none. No request.
        """
        ...

    def disagreements(self, write: Write, found: Found) -> Mapping[str, Any]:
        """What the record holds in the fields in which it is not as the write says; empty: it is as it should be.

        Fields of which the write says nothing do not count. Empty only if `Destination.differs` is False. No request.
        """
        ...
