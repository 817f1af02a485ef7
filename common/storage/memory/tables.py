"""The state that the twins share, as rows that are never changed in place.

A transaction works on a draft of all tables under one lock, and the draft takes their place only if nothing was raised.
Copying costs time in proportion to the rows; in return a half-done transaction cannot exist, whatever raises where.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from common.domain.attempts import Attempt
from common.domain.batches import Batch
from common.domain.checkpoints import Progress
from common.domain.entities import EntityKey
from common.domain.events import OPEN_STATES, Event, EventState
from common.domain.layers import Layer
from common.domain.pages import SeenPage
from common.domain.runs import RunReport
from common.domain.windows import Windows
from common.domain.writes import UNRESOLVED_STATES, Intent, Link, Review

#: Customer and resource, or customer and run.
Pair: TypeAlias = tuple[str, str]
#: Customer, resource, and whose progress it is.
CheckpointKey: TypeAlias = tuple[str, str, Layer]


@dataclass(frozen=True, kw_only=True)
class CheckpointRow:
    """How far a resource is, and the run that may write here."""

    position: datetime | None = None
    run_id: str | None = None
    progress: Progress | None = None
    continue_at: datetime | None = None
    failed_runs: int = 0
    #: What an unsealed backfill has kept.
    backfill: Windows | None = None
    cursor: str = ""


@dataclass(frozen=True, kw_only=True)
class MirrorRow:
    """Our copy of one record of the source."""

    version: int
    source_updated_at: datetime
    content_hash: str
    body: Mapping[str, Any]
    raw: Any
    scan_id: str
    seen_at: datetime
    scope: str = ""
    absences: int = 0
    deleted_at: datetime | None = None
    full_scan_id: str = ""


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """An event and what became of it."""

    event: Event
    retry_at: datetime
    reason: str = ""
    finished_at: datetime | None = None
    #: The entity whose link it waits for.
    waits_for: EntityKey | None = None
    #: As `EventOutcome.until_newer`.
    until_newer: bool = False

    @property
    def is_open(self) -> bool:
        return self.event.state in OPEN_STATES


@dataclass(frozen=True, kw_only=True)
class WriteRow:
    """An intent and its outcome."""

    intent: Intent
    destination_id: str = ""
    finished_at: datetime | None = None

    @property
    def is_unresolved(self) -> bool:
        return self.intent.state in UNRESOLVED_STATES


@dataclass(frozen=True, kw_only=True)
class LetterRow:
    """A dead letter."""

    entity: EntityKey
    event_id: int
    #: `detect` or `apply`.
    stage: str
    reason: str
    field: str
    message: str
    run_id: str
    trace_id: str
    created_at: datetime
    status: int | None = None
    detail: str = ""
    attempts: int = 0
    state: str = "open"
    resolution: str = ""
    resolved_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ScopeRow:
    """What is read as one, and when next."""

    parent_version: int = 0
    due_at: datetime | None = None
    is_history: bool = False
    read_at: datetime | None = None
    whole_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DeletionRow:
    """A deletion that the fuse holds, or held."""

    origin: str
    run_id: str
    trace_id: str
    held_at: datetime
    #: `held`, `approved`, `rejected` or `settled`.
    state: str = "held"
    resolved_at: datetime | None = None
    why: str = ""
    actor: str = ""


@dataclass(frozen=True, kw_only=True)
class ReviewRow:
    """What waits, or waited, for a person's decision."""

    review: Review
    #: `open`, `settled` or `decided`.
    state: str = "open"
    decision: str = ""


@dataclass(frozen=True, kw_only=True)
class PageRow:
    """A page that was saved, and what it has shown."""

    page: SeenPage
    source_ids: tuple[str, ...]


@dataclass(kw_only=True)
class Rows:
    """All tables."""

    checkpoints: dict[CheckpointKey, CheckpointRow] = field(default_factory=dict)
    runs: dict[Pair, RunReport] = field(default_factory=dict)
    mirror: dict[EntityKey, MirrorRow] = field(default_factory=dict)
    #: By customer, resource and scope.
    scopes: dict[tuple[str, str, str], ScopeRow] = field(default_factory=dict)
    events: dict[int, EventRow] = field(default_factory=dict)
    links: dict[EntityKey, Link] = field(default_factory=dict)
    writes: dict[str, WriteRow] = field(default_factory=dict)
    letters: list[LetterRow] = field(default_factory=list)
    #: By customer and event, in order of their numbers.
    attempts: dict[tuple[str, int], tuple[Attempt, ...]] = field(default_factory=dict)
    #: Address and entity; the value is when the entity left it, None if it has it.
    emails: dict[tuple[str, EntityKey], datetime | None] = field(default_factory=dict)
    reviews: dict[EntityKey, ReviewRow] = field(default_factory=dict)
    deletions: dict[EntityKey, DeletionRow] = field(default_factory=dict)
    #: By customer and name; counts are reckoned when asked for.
    batches: dict[Pair, Batch] = field(default_factory=dict)
    #: By customer, batch and letter: `waiting`, `fed` or `left_out`.
    items: dict[tuple[str, str, int], str] = field(default_factory=dict)
    #: By customer, resource and digest.
    pages: dict[tuple[str, str, bytes], PageRow] = field(default_factory=dict)
    #: Customer, action and detail.
    history: list[tuple[str, str, str]] = field(default_factory=list)

    def copy(self) -> Rows:
        return Rows(**{name: getattr(self, name).copy() for name in self.__dataclass_fields__})

    def events_of(self, entity: EntityKey) -> list[EventRow]:
        return [row for row in self.events.values() if row.event.entity == entity]

    def insert_event(self, row: EventRow) -> None:
        """Raises ValueError if the entity has an event of that version, or the id is taken."""
        event = row.event
        versions = {other.event.version for other in self.events_of(event.entity)}
        if event.event_id in self.events or event.version in versions:
            raise ValueError(f"event {event.event_id}: {event.entity} has a version {event.version} already")
        self.events[event.event_id] = row
        if row.is_open:
            self._wake_older(event, row.retry_at)

    def _wake_older(self, event: Event, now: datetime) -> None:
        for older in self.events_of(event.entity):
            if older.is_open and older.until_newer:
                woken = replace(older, retry_at=now, until_newer=False, reason="")
                self.events[older.event.event_id] = woken


class MemoryTables:
    """One database's worth of rows; both stores of a fleet get the same one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows = Rows()
        self._event_ids = itertools.count(1)

    @contextmanager
    def transaction(self) -> Iterator[Rows]:
        """A draft that replaces the tables at the end of the block, unless the block raises."""
        with self._lock:
            draft = self._rows.copy()
            yield draft
            self._rows = draft

    @property
    def rows(self) -> Rows:
        """The tables as last committed; to be read, not changed."""
        with self._lock:
            return self._rows

    def next_event_id(self) -> int:
        return next(self._event_ids)

    @property
    def events(self) -> Sequence[Event]:
        """All events, oldest first."""
        rows = self.rows.events
        return [rows[event_id].event for event_id in sorted(rows)]

    def events_by_state(self, customer_id: str) -> dict[EventState, int]:
        return dict(Counter(e.state for e in self.events if e.entity.customer_id == customer_id))

    @property
    def dead_letters(self) -> Sequence[LetterRow]:
        """Those that nobody has resolved."""
        return [letter for letter in self.rows.letters if letter.state == "open"]

    @property
    def mirror(self) -> Mapping[EntityKey, MirrorRow]:
        return self.rows.mirror

    @property
    def links(self) -> Mapping[EntityKey, Link]:
        return self.rows.links

    @property
    def runs(self) -> Sequence[RunReport]:
        return list(self.rows.runs.values())
