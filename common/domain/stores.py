"""What storage must do for the two kinds of worker. PostgreSQL implements it; `storage.memory` is the twin.

Every method is one transaction: it is done whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from common.domain.checkpoints import Checkpoint, Progress
from common.domain.customers import Customer
from common.domain.entities import EntityKey
from common.domain.events import Event, EventState
from common.domain.fuse import Fuse
from common.domain.gathering import Gathering
from common.domain.layers import Layer
from common.domain.records import BrokenRecord, Record
from common.domain.runs import RunCounts, RunState
from common.domain.sources import WHOLE, DueScope, Gone, ResourceTerms
from common.domain.windows import Windows
from common.domain.writes import Intent, Link, SliceOutcome


@dataclass(frozen=True, kw_only=True)
class RunStart:
    """Where a run begins, or goes on."""

    checkpoint: Checkpoint
    progress: Progress
    #: True if `progress` is an earlier, unfinished run's.
    resumed: bool
    #: Set when the unfinished run may not go on before then; nothing was taken.
    waits_until: datetime | None = None
    #: True if it was to run only if it is due, and is not; nothing was taken.
    is_over: bool = False


@dataclass(frozen=True, kw_only=True)
class PageToSave:
    """All that one page's transaction needs."""

    customer_id: str
    resource: str
    run_id: str
    scan_id: str
    origin: str
    trace_id: str
    records: Sequence[Record]
    broken: Sequence[BrokenRecord]
    requests: int
    now: datetime
    #: The scope that it shows, of a resource that is read scope by scope.
    scope: str = WHOLE
    #: Whether it is evidence of what the scope holds: only then do its records belong to the scope.
    shows_all: bool = False
    #: Scopes that it has shown to be worth reading now.
    due: Sequence[DueScope] = ()
    #: It is a page of a full scan, of this id.
    full_scan_id: str = ""
    #: What the source itself says is deleted; as far as the fuse lets it.
    gone: Sequence[Gone] = ()
    fuse: Fuse = field(default_factory=Fuse)
    #: The last page of changes: the cursor moves there, in the same transaction. None: it stays.
    cursor: str | None = None
    #: The source's own address of it; None: the first of its list. It may carry secrets: see `common.domain.pages`.
    address: str | None = None
    scan_pass: int = 1


@dataclass(frozen=True, kw_only=True)
class ScopeToRead:
    """A scope that is due."""

    scope: str
    #: Canonical body of its parent; empty for a root, or when the parent is not known (any more).
    parent: Mapping[str, Any]
    #: None: never.
    read_at: datetime | None = None
    #: The last reading that counted as evidence.
    whole_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ScopeEnd:
    """What the reading of a scope has come to."""

    customer_id: str
    resource: str
    run_id: str
    trace_id: str
    origin: str
    scope: str
    scan_id: str
    #: When it is to be read again; None: not until its parent changes.
    due_at: datetime | None
    #: The reading is evidence: what it did not show was not there.
    is_evidence: bool
    #: Evidence since then is too fresh for this reading to count beside it: both may have met the same bad moment.
    evidence_before: datetime
    now: datetime
    #: Further resources whose records come in the same answers.
    also: tuple[str, ...] = ()
    #: Of a full scan: when it began. What was seen since then, by whomever, was there. None: the reading of a scope.
    full_since: datetime | None = None
    #: More than this lets go are held.
    fuse: Fuse = field(default_factory=Fuse)


#: Scope, parent's body, when it was read last, and now: when it is to be read.
DueAt: TypeAlias = Callable[[str, Mapping[str, Any], datetime | None, datetime], datetime | None]


class DetectionStore(Protocol):
    """What the poller's loop keeps."""

    def plan_scopes(self, customer_id: str, resource: str, terms: ResourceTerms, due_at: DueAt, now: datetime) -> None:
        """See to it that all roots, and a scope for every parent in the mirror, are there and due as they should be."""
        ...

    def unplan_scopes(self, customer_id: str) -> None:
        """`due_at` answers otherwise from now on: the next planning reckons anew every scope that has a parent.

        From its last reading, and what is due sooner by an earlier answer stays so. Without this, a scope that waits
        for its parent to change would wait for ever, whatever is wanted meanwhile.
        """
        ...

    def next_scope(
        self,
        customer_id: str,
        resource: str,
        terms: ResourceTerms,
        now: datetime,
        *,
        read_before: datetime,
        history_first: bool = False,
    ) -> ScopeToRead | None:
        """The most urgent one that is due and was not read since `read_before`; the longest due goes first.

        History (see `Source.due_at`) goes last, or first.
        """
        ...

    def scope(self, customer_id: str, resource: str, terms: ResourceTerms, scope: str) -> ScopeToRead:
        """One of them, due or not."""
        ...

    def end_scope(self, end: ScopeEnd, progress: Progress) -> RunCounts:
        """Note the reading, count absences, and turn those that are evidence enough into events. Raises RunFenced.

        What is more than the fuse lets go is held instead.
        """
        ...

    def seen_in_full_scan(self, customer_id: str, resource: str, scan_id: str) -> int:
        """How many distinct records a full scan has seen, whoever else has seen them since."""
        ...

    def next_suspect(self, customer_id: str, resource: str, *, after: str) -> str | None:
        """The next record by its id that the last sealed full scan has not shown, and that nobody has seen since.

        None that is gone, held, or could not be read when it was seen last.
        """
        ...

    def end_look(self, end: ScopeEnd, source_id: str, progress: Progress) -> RunCounts:
        """Of a suspect, the source was asked by its id: it is not there (`end.is_evidence`) and gone by that, or it is,
        and was never absent. Raises RunFenced.
        """
        ...

    def start_run(
        self,
        *,
        customer_id: str,
        resource: str,
        run_id: str,
        trace_id: str,
        now: datetime,
        layer: Layer = Layer.POLL,
        only_if_due: bool = False,
    ) -> RunStart:
        """Take (customer, resource) in a layer: from here on any other run of it is fenced. Resumes saved progress.

        `only_if_due`: a run that is neither asked for (`continue_at`) nor under way is over, and nothing is taken.
        """
        ...

    def save_page(self, page: PageToSave, progress: Progress, *, end: ScopeEnd | None = None) -> RunCounts:
        """Mirror, events and progress together. Raises RunFenced if another run has taken over.

        `end`: it is the only page of its scope, and this is what the reading has come to, as for `end_scope`.
        """
        ...

    def seen_in_scan(self, customer_id: str, resource: str, scan_id: str) -> int:
        """How many distinct records a scan has seen."""
        ...

    def unfinished(self, customer_id: str, resource: str, *, since: datetime, before: datetime) -> int:
        """How many events that were detected within these bounds are not final yet; none that waits by design."""
        ...

    def save_progress(
        self, customer_id: str, resource: str, progress: Progress, *, continue_at: datetime, why: str = ""
    ) -> None:
        """End this slice of a run; it goes on at `continue_at`; `why` goes into its report. Raises RunFenced."""
        ...

    def finish_run(
        self,
        customer_id: str,
        resource: str,
        run_id: str,
        *,
        state: RunState,
        position: datetime | None,
        error: str,
        now: datetime,
        keeps: Windows | None = None,
        backfilled: Collection[str] = (),
    ) -> int:
        """End the run; move the checkpoint to `position` if it is later. Raises RunFenced.

        `keeps`: what the next run of a resource without a checkpoint goes on from. `backfilled`: this one has read its
        own to the end for the first time; if that was the last of these, the history says so in the same transaction.

        Returns how many runs of it have failed in a row: a failed one counts, a completed one sets it back to 0.
        """
        ...


class DeliveryStore(Protocol):
    """What the processor's slice keeps."""

    def due_partitions(self, customer_id: str, now: datetime) -> Sequence[int]:
        """Partitions with an event to apply now, the longest waiting first."""
        ...

    def read_slice(self, customer_id: str, partition: int, now: datetime, limit: int) -> Sequence[Event]:
        """Open events that are due, live ones before a backfill's, then oldest first.

        None of an entity of which any open event is not due.
        """
        ...

    def read_events(self, customer_id: str, event_ids: Collection[int]) -> Sequence[Event]:
        """Those of them that are open."""
        ...

    def gathering(self, customer_id: str, now: datetime, at_most: int) -> Gathering:
        """What is due now, without taking it; counted up to `at_most`, and beyond that the times tell nothing."""
        ...

    def newest_states(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, EventState]:
        """How the last event of each stands; an entity that was never detected is missing from the answer."""
        ...

    def links(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Link]: ...

    def links_to(self, customer_id: str, resource: str, destination_ids: Collection[str]) -> Sequence[Link]:
        """Of all entities that are linked to one of these records, and were not taken back."""
        ...

    def unresolved(self, entities: Sequence[EntityKey]) -> Mapping[EntityKey, Intent]:
        """The write of each entity whose outcome is not known yet; at most one each."""
        ...

    def begin(self, intents: Sequence[Intent]) -> None:
        """Commit intents before anything is sent, each closing the unresolved one that it says it replaces.

        Raises LockLost if another worker has ended one of the events, or has begun a write of the same entity.
        """
        ...

    def record(self, customer_id: str, outcome: SliceOutcome, now: datetime) -> None:
        """Event states, dead letters, write outcomes, links, reviews and addresses, together.

        What waits for one of the links is due from then on; what is to wait for a link that is there is due at once.
        What is to wait until there is a newer event of its entity ends as superseded if there is one.
        """
        ...

    def apply_again(self, entities: Sequence[EntityKey], now: datetime) -> None:
        """A new event for each from its mirror: a write of ours may have landed after a newer one.

        What waits until there is a newer one is due.
        """
        ...

    def email_owners(self, customer_id: str, addresses: Sequence[str]) -> Mapping[str, EntityKey]:
        """Whose each address is, of those that are anybody's: from the intent of its first write on."""
        ...

    def cleared(self, entities: Sequence[EntityKey]) -> Collection[EntityKey]:
        """Those of which a person has decided that they are to be created."""
        ...

    def open_dead_letters(self, customer_id: str) -> int:
        """Dead letters that nobody has replayed or discarded."""
        ...


class CustomerStore(Protocol):
    """The customers, as both workers see them."""

    def get(self, customer_id: str) -> Customer:
        """Raises CustomerInvalid if there is none."""
        ...

    def pause(self, customer_id: str, reason: str, *, until: datetime | None = None) -> None:
        """Stop until a person resumes it, or until `until`: that leaves alone who is paused already."""
        ...

    def pause_applying(self, customer_id: str, reason: str) -> None:
        """Apply nothing until a person resumes it; what changes is detected and stored all the same."""
        ...

    def park(self, customer_id: str, until: datetime, reason: str) -> None:
        """No delivery before `until`. A later `until` wins; an earlier one is ignored."""
        ...

    def note(self, customer_id: str, *, actor: str, action: str, detail: str = "") -> None:
        """Write into the customer's history who did what."""
        ...


class Locks(Protocol):
    """Exclusive ownership by name, across processes and threads, released in the instant the owner's process dies."""

    def try_hold(self, name: str) -> AbstractContextManager[Held | None]:
        """Hold `name` inside the block, or get None at once when somebody else has it."""
        ...


class Held(Protocol):
    """A lock that is held."""

    def verify(self) -> None:
        """Raise LockLost if it may have been lost."""
        ...
