"""Batches of replays: dead letters that a person has chosen, put back to work a portion at a time, under a name.

    active ──a portion, when few are on their way──▶ active ... ──nothing waits, nothing is on its way──▶ completed
      │ ▲ pause, resume                  │ cancel: what waits is left as it is
      ▼ │                                ▼
    paused                           cancelled

A batch is a row, and so is each of its letters; a letter goes to work in the transaction that says so, so that a kill
anywhere costs nothing and repeats nothing. Nothing here decides what is written: a letter's event takes its own place
in its entity's order, and the slice that takes it up decides once more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from common.domain.customers import Lane
from common.domain.events import EventState
from common.domain.letters import Stage

#: Letters of a batch that may be on their way at a time: a tenth of a slice, so that live changes go beside them.
PORTION = 20
#: Letters a minute. At a request each that is three times a customer's usual budget of 1,200 an hour: it bounds a
#: burst, and the budget's share for what can wait bounds the hour.
PER_MINUTE = 60


class BatchState(StrEnum):
    """How a batch stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


#: From which states a person may bring a batch into each.
MAY_BECOME: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.PAUSED: frozenset({BatchState.ACTIVE}),
    BatchState.ACTIVE: frozenset({BatchState.PAUSED}),
    BatchState.CANCELLED: frozenset({BatchState.ACTIVE, BatchState.PAUSED}),
}


class BatchOutcome(StrEnum):
    """What has become of one letter of a batch."""

    WAITING = "waiting"  # for its turn
    ON_THE_WAY = "on_the_way"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"
    DISCARDED = "discarded"
    READ_AGAIN = "read_again"  # unreadable as it was: the source is asked anew, and an event of its own comes of that
    FAILED_AGAIN = "failed_again"  # a new letter names this batch
    LEFT_OUT = "left_out"  # somebody had resolved the letter before its turn


#: What the end of a letter's event makes of the letter.
ENDS: Mapping[EventState, BatchOutcome] = {
    EventState.APPLIED: BatchOutcome.APPLIED,
    EventState.UNCHANGED: BatchOutcome.UNCHANGED,
    EventState.SUPERSEDED: BatchOutcome.SUPERSEDED,
    EventState.SKIPPED: BatchOutcome.SKIPPED,
    EventState.DISCARDED: BatchOutcome.DISCARDED,
    EventState.DEAD_LETTERED: BatchOutcome.FAILED_AGAIN,
}


@dataclass(frozen=True, kw_only=True)
class NewBatch:
    """What a person asked for."""

    customer_id: str
    name: str
    numbers: tuple[int, ...]
    actor: str
    #: In words, how the letters were chosen.
    chosen: str = ""
    #: Write also where somebody has changed the destination since we last wrote.
    overwrites: bool = False
    portion: int = PORTION
    per_minute: int = PER_MINUTE


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch and how far it is."""

    customer_id: str
    name: str
    state: BatchState
    actor: str
    chosen: str
    overwrites: bool
    portion: int
    per_minute: int
    created_at: datetime
    next_feed_at: datetime
    finished_at: datetime | None
    counts: Mapping[BatchOutcome, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """One letter of a batch."""

    dead_letter_id: int
    resource: str
    source_id: str
    outcome: BatchOutcome
    #: The letter that it has become again; None: it has not.
    again: int | None = None


@dataclass(frozen=True, kw_only=True)
class DueBatch:
    """One that may be fed now."""

    customer_id: str
    name: str
    lane: Lane


@dataclass(frozen=True, kw_only=True)
class Fed:
    """What one feeding has put to work."""

    applied: int = 0
    #: Of resources that the source is to be read for again.
    read_again: tuple[str, ...] = ()
    is_completed: bool = False


NOTHING_FED = Fed()


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What was last written of an entity: its canonical body then, and the version."""

    payload: Mapping[str, Any]
    version: int


def unguarded(customer_id: str, event_ids: Collection[int]) -> Mapping[int, Baseline]:
    """Where there are no batches."""
    del customer_id, event_ids
    return {}


def pause_after(count: int, per_minute: int) -> timedelta:
    """How long a batch waits after so many letters."""
    return timedelta(seconds=60.0 * count / per_minute)


def outcome_of(item: str, stage: str, event: EventState | None, *, failed_again: bool) -> BatchOutcome:
    """`item`: `waiting`, `fed` or `left_out`; the letter's stage, and how its event stands."""
    if item != "fed":
        return BatchOutcome(item)
    if failed_again:
        return BatchOutcome.FAILED_AGAIN
    if stage == Stage.DETECT:
        return BatchOutcome.READ_AGAIN
    return ENDS.get(event, BatchOutcome.ON_THE_WAY) if event else BatchOutcome.ON_THE_WAY


class Batches(Protocol):
    """Batches of all customers. Every method is one transaction."""

    def create(self, new: NewBatch, now: datetime) -> None:
        """With a line in the history. Raises CustomerInvalid if the customer has a batch of that name already."""
        ...

    def due(self, now: datetime) -> Sequence[DueBatch]:
        """Active ones whose time has come, of customers that may be applied now."""
        ...

    def feed(self, customer_id: str, name: str, now: datetime) -> Fed:
        """Put the next portion to work, as far as what is on its way leaves room; complete it if nothing is left.

        A letter that somebody has resolved meanwhile is left out, and one that a newer event of its entity stands for
        ends as superseded, unsent. Nothing is done if it is not active, not due, or somebody else is feeding it.
        """
        ...

    def get(self, customer_id: str, name: str) -> Batch | None: ...

    def list(self, customer_id: str | None = None, *, limit: int) -> Sequence[Batch]:
        """The latest first."""
        ...

    def items(self, customer_id: str, name: str) -> Sequence[BatchItem]:
        """In order of their numbers."""
        ...

    def baselines(self, customer_id: str, event_ids: Collection[int]) -> Mapping[int, Baseline]:
        """What was last written of the entities of these, of those that came from a batch that may not overwrite.

        Missing: what nothing was written of, or of which that is not known any more.
        """
        ...

    def change(self, customer_id: str, name: str, state: BatchState, *, actor: str, why: str, now: datetime) -> bool:
        """Pause, resume or cancel it, with a line in the history. False if it is not in a state that allows that."""
        ...
