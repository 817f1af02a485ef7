"""What a source connector must do: give pages of normalised records. It knows nothing of checkpoints or events.

Resources are read in one of three ways. What has a filter by modification time is read from the checkpoint on
(`MODIFIED`). What tells its changes since a cursor is asked for these (`CURSOR`); it has a list of all there is too,
for the first time, and for when its cursor has expired. Everything else is read scope by scope (`SCOPED`): a scope is
what one list, or one answer, shows whole (all groups; the members of one group; the participants of one date), and it
is read again when it is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from common.domain.records import BrokenRecord, Record

#: The scope of a resource that one list shows whole.
WHOLE = ""
#: CURSOR: in the place of a cursor, asks for the one that stands for now.
PRESENT = ""


class Style(StrEnum):
    """How changes of a resource are found."""

    MODIFIED = "modified"
    CURSOR = "cursor"
    SCOPED = "scoped"


@dataclass(frozen=True, kw_only=True)
class ResourceTerms:
    """How a resource is read."""

    style: Style
    #: MODIFIED: the list also takes an upper bound; without one, a set that grows while it is paged is paged again.
    bounded: bool = True
    #: MODIFIED: the list also takes bounds on the created time, so that it can be backfilled in windows.
    by_created: bool = False
    #: MODIFIED, CURSOR: the scope `<one>/17` tells whether its record 17 is there (`Page.is_gone`); empty: none does.
    one: str = ""
    #: SCOPED: scopes that exist by themselves, such as WHOLE.
    roots: tuple[str, ...] = ()
    #: SCOPED: takes a lower bound on the time of change, so that a scope need not be read whole every time.
    takes_since: bool = False
    #: SCOPED: further resources whose records come in the same answers.
    also: tuple[str, ...] = ()
    #: SCOPED: resource -> kind. Each of its records `17` in the mirror makes a scope `<kind>/17`.
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PageQuery:
    """Where to read. With `next_page`, filters are ignored: it already carries them."""

    resource: str
    #: SCOPED: WHOLE, another root, or `<kind>/<source id of the parent>`.
    scope: str = WHOLE
    #: Canonical body of the scope's parent; empty for a root.
    parent: Mapping[str, Any] = field(default_factory=dict)
    #: Inclusive bounds on `updated_at`; None means unbounded.
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    #: Bounds on `created_at`, whether inclusive is not known; None means unbounded.
    created_after: datetime | None = None
    created_before: datetime | None = None
    #: CURSOR: only what has changed since then; PRESENT: nothing but the cursor of now; None: the list of all there is.
    cursor: str | None = None
    next_page: str | None = None


@dataclass(frozen=True, kw_only=True)
class DueScope:
    """A scope that an answer has shown to be worth reading now."""

    resource: str
    scope: str


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A record that the source itself says was deleted."""

    source_id: str
    #: When, if it says so: what was seen later than that is there again.
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer of a list. Its records may be of several resources; each says which."""

    records: Sequence[Record]
    broken: Sequence[BrokenRecord]
    #: The source's own address of the next page; None at the end.
    next_page: str | None
    #: How many records match in all, as the source says; None if it does not say, and then no scan is sealed.
    total: int | None
    #: The source's clock at the answer; None if it does not say.
    answered_at: datetime | None
    #: SCOPED: what the scope describes is not there any more (404).
    is_gone: bool = False
    #: SCOPED: whether a record that is missing from the whole answer is gone. False where one answer may not tell all.
    shows_all: bool = True
    due: Sequence[DueScope] = ()
    #: CURSOR: deletions among the changes. A page tells how things stand at its end: an id is in its records or here.
    gone: Sequence[Gone] = ()
    #: CURSOR: at the end of the changes, and in answer to PRESENT: where to go on from; not empty.
    cursor: str | None = None

    @property
    def item_count(self) -> int:
        return len(self.records) + len(self.broken)


class Source(Protocol):
    """A source bound to one customer's account."""

    #: Resources it can list, in the order in which a poll reads them: parents before what is scoped by them.
    resources: Sequence[str]
    terms: Mapping[str, ResourceTerms]

    def page(self, query: PageQuery) -> Page:
        """Make exactly one request. Raises TransientError, RateLimited or CustomerBlocked, never anything of httpx.

        CURSOR: raises CursorExpired if the source cannot tell what has changed since the query's cursor any more.
        """
        ...

    def due_at(
        self, resource: str, scope: str, parent: Mapping[str, Any], *, read_at: datetime | None, now: datetime
    ) -> datetime | None:
        """When a scope is to be read (again); None: not until its parent changes. No request.

        `read_at`: when it was read last; None: never, or its parent has changed since. What was never read and is due
        at exactly `now` is history: it can wait until nothing else is due. What is overdue, or due later, cannot.
        """
        ...
