"""Writes at the destination: the intent committed before each, its outcome after, and the link it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.domain.attempts import Attempt
from common.domain.canonical import Canonical
from common.domain.entities import EntityKey
from common.domain.events import EventState
from common.domain.identities import EmailUse


class Operation(StrEnum):
    """What a write does."""

    CREATE = "create"
    UPDATE = "update"
    #: Take back what we did, as far as the destination can: archive, untag, end. Never a deletion of a record.
    ARCHIVE = "archive"


class WriteState(StrEnum):
    """How an intent stands. `open` long after its time means: nobody knows, so look."""

    OPEN = "open"  # committed; the request is being sent, or its worker died
    UNKNOWN = "unknown"  # sent, no answer
    SUBMITTED = "submitted"  # accepted, held by the destination
    APPLIED = "applied"
    REFUSED = "refused"
    NOT_SENT = "not_sent"  # nothing left this machine
    LOOKED = "looked"  # its outcome was found by looking, or a later write took its place


#: An entity with a write in one of these gets no other write before somebody has looked.
UNRESOLVED_STATES = frozenset({WriteState.OPEN, WriteState.UNKNOWN, WriteState.SUBMITTED})


#: In the place of a mapped hash: of what we have taken back, and of what a write without an answer may have.
REMOVED, PERHAPS_REMOVED = "removed", "removed?"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Source id to destination id, kept for ever."""

    entity: EntityKey
    destination_id: str
    #: Further ids the destination needs (at CRM+: `individual_id`).
    details: Mapping[str, Any] = field(default_factory=dict)
    #: Version and mapped hash of what was last confirmed there; 0 and "" before that.
    applied_version: int = 0
    applied_hash: str = ""

    @property
    def was_removed(self) -> bool:
        """Whatever hides it there, it was us, or may have been."""
        return self.applied_hash in (REMOVED, PERHAPS_REMOVED)

    def doubted(self) -> Link:
        """A write is several requests, and some of them may have been done: what the ledger believes is forgotten, so
        that going back to the old state is not taken for "as it was"; but not that we took it back ourselves.
        """
        return replace(self, applied_hash=PERHAPS_REMOVED if self.was_removed else "")


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A write that was, or is about to be, sent."""

    write_id: str
    entity: EntityKey
    event_id: int
    version: int
    operation: Operation
    mapped_hash: str
    state: WriteState
    started_at: datetime
    #: From then on the request can no longer land: it was either applied, and is visible, or it never will be.
    settles_at: datetime
    #: The unresolved write that was looked at before this one; any other of the entity is somebody else's.
    replaces: str = ""
    #: Of a person that is created: the address is this entity's from then on, and a second one with it is held.
    email: str = ""


@dataclass(frozen=True, kw_only=True)
class Write:
    """One entity's desired state, ready for a destination."""

    write_id: str
    entity: EntityKey
    event_id: int
    version: int
    desired: Canonical
    mapped_hash: str
    #: None: the destination has no record of ours for it yet.
    link: Link | None = None
    #: Links of the entities that it hangs on, such as the person and the date of a participation.
    parents: Mapping[EntityKey, Link] = field(default_factory=dict)
    #: The source has it no more.
    is_removal: bool = False
    #: A person has decided that it is nobody whom the destination has already.
    as_new: bool = False
    #: Of a removal: another entity that is still there is linked to the same record.
    is_shared: bool = False

    @property
    def operation(self) -> Operation:
        if self.is_removal:
            return Operation.ARCHIVE
        return Operation.CREATE if self.link is None else Operation.UPDATE


@dataclass(frozen=True, kw_only=True)
class Found:
    """A destination record that carries our reference."""

    destination_id: str
    details: Mapping[str, Any]
    #: The record as read, for the destination's own comparison.
    current: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The destination has it now. `changed` is False when it had it already."""

    destination_id: str
    details: Mapping[str, Any]
    changed: bool = True


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The destination took it and will show it later."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why an event became a dead letter."""

    reason: str
    message: str
    field: str = ""
    status: int | None = None
    #: What the destination said; may hold personal data, so it stays in the database.
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """It alone was refused; the others of the request were not."""

    refusal: Refusal


@dataclass(frozen=True, kw_only=True)
class Postponed:
    """Nothing was sent for this one; it comes again at `until`, and no attempt is counted."""

    reason: str
    until: datetime
    #: As `EventOutcome.until_newer`.
    until_newer: bool = False


class ReviewKind(StrEnum):
    """Why a person has to decide."""

    EMAIL_TAKEN = "email_taken"  # another user of the source has that address already
    AMBIGUOUS = "ambiguous"  # several records of the destination fit
    ARCHIVED = "archived"  # the linked record was archived there
    HELD_IMPORT = "held_import"  # submitted, and not visible for too long


@dataclass(frozen=True, kw_only=True)
class Review:
    """An entity that waits for a person's decision: `fleet matches`. One open per entity."""

    entity: EntityKey
    kind: ReviewKind
    reason: str
    #: Destination ids that it may be, best first.
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NeedsReview:
    """Nothing was sent for this one; a person has to decide first."""

    review: Review


@dataclass(frozen=True, kw_only=True)
class Relinked:
    """The linked record was merged into another; nothing was sent. The next write goes to that one."""

    destination_id: str
    details: Mapping[str, Any]


Answer = Applied | Submitted | Refused | Postponed | NeedsReview | Relinked


@dataclass(frozen=True, kw_only=True)
class Matched:
    """A record of the destination's that is this entity, though nothing links them yet."""

    destination_id: str
    details: Mapping[str, Any]
    #: Which rung of the ladder told: `reference`, `email`, `address`.
    rung: str
    #: False: the destination finds it by itself when it is created, so it need not be linked before.
    is_told: bool = True


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A request that would be sent."""

    method: str
    route: str
    body: Any


@dataclass(frozen=True, kw_only=True)
class EventOutcome:
    """What became of one event in a slice."""

    event_id: int
    state: EventState
    reason: str = ""
    #: Added to the event's attempts.
    attempts: int = 0
    #: Added to its failures.
    failures: int = 0
    #: Added to its defects.
    defects: int = 0
    #: When to look at it again; None with an open state means now.
    retry_at: datetime | None = None
    refusal: Refusal | None = None
    #: The entity whose link it waits for: it is due as soon as that is recorded.
    waits_for: EntityKey | None = None
    #: It waits for a decision, or for a time at which what it says is final: a newer event of its entity need not wait
    #: for that. Never of what waits because something may still land, or after a failure: there newer ones wait too.
    until_newer: bool = False


@dataclass(frozen=True, kw_only=True)
class WriteOutcome:
    """What became of one intent."""

    write_id: str
    state: WriteState
    destination_id: str = ""
    #: Replaces the intent's, when an answer told that nothing is under way any more.
    settles_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SliceOutcome:
    """All that one transaction records after a request."""

    events: tuple[EventOutcome, ...] = ()
    writes: tuple[WriteOutcome, ...] = ()
    links: tuple[Link, ...] = ()
    reviews: tuple[Review, ...] = ()
    emails: tuple[EmailUse, ...] = ()
    #: What failed or was put off.
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, part.name) for part in fields(self))


def merged(outcomes: Iterable[SliceOutcome]) -> SliceOutcome:
    """All of them, for one transaction."""
    parts = list(outcomes)
    return SliceOutcome(
        events=tuple(event for part in parts for event in part.events),
        writes=tuple(write for part in parts for write in part.writes),
        links=tuple(link for part in parts for link in part.links),
        reviews=tuple(review for part in parts for review in part.reviews),
        emails=tuple(use for part in parts for use in part.emails),
        attempts=tuple(attempt for part in parts for attempt in part.attempts),
    )
