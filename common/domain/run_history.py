"""What an operator asks about runs that were, and what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.domain.events import EventState, Origin
from common.domain.runs import RunReport, RunState


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs; None: any."""

    customer_id: str | None = None
    resource: str | None = None
    origin: Origin | None = None
    state: RunState | None = None
    #: Begun then or later; aware.
    since: datetime | None = None
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class ReasonCount:
    """How many of a run's events are in a state for one reason. Ids in reasons are left out, so that they add up."""

    state: str
    reason: str
    events: int


@dataclass(frozen=True, kw_only=True)
class FailedEvent:
    """An event of a run that waits for a person, without anything personal."""

    dead_letter_id: int
    resource: str
    source_id: str
    #: `detect` or `apply`.
    stage: str
    reason: str
    field: str


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """What has become of a run's events up to now."""

    #: Of every state that there is.
    events: Mapping[EventState, int]
    #: The most frequent first; at most `REASONS`.
    reasons: Sequence[ReasonCount] = ()
    #: The earliest first; at most `FAILURES`.
    failures: Sequence[FailedEvent] = ()

    @property
    def total(self) -> int:
        return sum(self.events.values())


@dataclass(frozen=True, kw_only=True)
class RunShown:
    """A run, and what has become of it."""

    report: RunReport
    trace_id: str
    outcome: RunOutcome


#: Reasons told of one run: a person reads them.
REASONS = 10
#: Failures told of one run: the 50 that a night's report has to name.
FAILURES = 50
