"""Events: a detected change in its envelope. They live in PostgreSQL; no message carries one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.domain.entities import EntityKey

#: Version of the envelope and payload shape this release writes. A higher one is dead-lettered, never guessed at.
EVENT_VERSION = 1


class Action(StrEnum):
    """What happened to the entity at the source, as far as this release acts on it."""

    UPSERT = "upsert"
    #: It is gone there. The payload is the last that was seen of it.
    DELETE = "delete"


class Origin(StrEnum):
    """Which layer detected it. Nothing downstream branches on it but the budget's share."""

    POLL = "poll"
    BACKFILL = "backfill"
    RECONCILIATION = "reconciliation"
    FULL = "full"
    NIGHTLY = "nightly"
    WEBHOOK = "webhook"
    REPLAY = "replay"
    BATCH = "batch"  # replayed, as one of many


class EventState(StrEnum):
    """pending -> submitted -> one of the final six. Every event ends in exactly one."""

    PENDING = "pending"  # to be applied, now or at `retry_at`
    SUBMITTED = "submitted"  # accepted by the destination, not visible there yet
    APPLIED = "applied"  # the destination has it
    UNCHANGED = "unchanged"  # the destination had it already
    SUPERSEDED = "superseded"  # a newer event of the entity took its place
    SKIPPED = "skipped"  # a handler decided against it, with a reason
    DEAD_LETTERED = "dead_lettered"  # must not be retried; waits for a person
    DISCARDED = "discarded"  # a person decided against it


OPEN_STATES = frozenset({EventState.PENDING, EventState.SUBMITTED})
FINAL_STATES = frozenset(EventState) - OPEN_STATES


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event, as read from the outbox."""

    event_id: int
    entity: EntityKey
    partition: int
    #: An `Action`, or a word of a newer release.
    action: str
    #: 1, 2, 3 ... per entity, given by the mirror: the order that must hold at the destination.
    version: int
    event_version: int
    #: Canonical body of the record.
    payload: Mapping[str, Any]
    #: An `Origin`, or a word of a newer release.
    origin: str
    run_id: str
    trace_id: str
    state: EventState
    #: That count towards a dead letter: an outage costs none.
    attempts: int
    #: Requests it was in that failed, counted or not.
    failures: int = 0
    #: Of the attempts, those that ended in a defect of ours.
    defects: int = 0
    detected_at: datetime
    #: When the source says it changed.
    occurred_at: datetime
    #: False: every one counts, and none is superseded by a newer one.
    coalesce: bool = True

    def log_context(self) -> dict[str, Any]:
        """Ids only: safe in a log line."""
        return {
            "customer_id": self.entity.customer_id,
            "event_id": self.event_id,
            "run_id": self.run_id,
            "trace_id": self.trace_id,
        }
