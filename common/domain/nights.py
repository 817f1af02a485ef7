"""Nights: one batch of one nightly customer, from its slot to its report.

    prerequisites ──both systems are there──▶ read ──all is read──▶ apply ──nothing is left──▶ report ──▶ over
          └───────────── it cannot go on, or its deadline has come ────────────────────────────┘

A night is a row. Whoever advances it looks at the truth, decides (`night_steps`), does one thing and records it, so
that a kill anywhere costs one step that is done again. A nightly customer's events are applied in the phase `apply` of
an open night, before its deadline, and at no other time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from common.domain.customers import Customer, Lane, Mode, System
from common.domain.errors import BacklogFull, BreakerOpen, RateLimited


class NightState(StrEnum):
    """How a night stands, or ended."""

    OPEN = "open"
    COMPLETED = "completed"  # what could be applied by its deadline was
    FAILED = "failed"  # its reason says what failed
    ABANDONED = "abandoned"  # the customer went over to continuous mode


class Phase(StrEnum):
    """What an open night is at."""

    PREREQUISITES = "prerequisites"
    READ = "read"
    APPLY = "apply"
    REPORT = "report"  # nothing is applied any more; the end is decided, and not written yet


class Finding(StrEnum):
    """What a probe has found."""

    REACHABLE = "reachable"
    UNSUPPORTED = "unsupported"  # it answers, but not at the path that it was to be probed at
    UNREACHABLE = "unreachable"  # tried again
    REFUSED = "refused"  # trying again would not help


#: Of these, a system is there.
REACHED = frozenset({Finding.REACHABLE, Finding.UNSUPPORTED})


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The last answer of a system to "are you there?"."""

    finding: Finding
    at: datetime
    #: What was wrong: safe to log.
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Night:
    """A row. Times are aware UTC; None: not yet."""

    customer_id: str
    #: Local date of its slot.
    night_date: date
    #: 1 is the slot's; those from 2 on were opened by hand.
    part: int = 1
    state: NightState = NightState.OPEN
    phase: Phase = Phase.PREREQUISITES
    #: How it is to end; set with the phase `report`.
    verdict: NightState | None = None
    #: Why it failed or was abandoned, dependency first.
    reason: str = ""
    #: When its slot came, or a person asked for it.
    claimed_at: datetime
    #: When a worker took it up: the window counts from then.
    started_at: datetime | None = None
    deadline_at: datetime | None = None
    finished_at: datetime | None = None
    #: Not looked at before.
    next_step_at: datetime
    #: When the customer's next slot comes, as of its end.
    next_at: datetime | None = None
    #: Probes that were asked for; each is waited for longer than the one before.
    attempts: int = 0
    #: Times a budget or a 429 held up its reading or its writing.
    pauses: int = 0
    probes: Mapping[System, Probe]
    #: What each run that was under way had come to when the night began, by its id: `read`, `detected`, `requests` and
    #: `pages`. What it does from then on is this night's.
    carried: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    #: As `NightReport.to_json`; empty before its end.
    report: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        return self.state is NightState.OPEN


@dataclass(frozen=True, kw_only=True)
class Window:
    """Whether a nightly customer's events may be applied now."""

    #: They may, until then; None: they may not.
    until: datetime | None = None
    #: A night is open, so that whoever advances it will say when they may.
    is_night: bool = False
    #: When the next slot comes, if that is known.
    next_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DueNight:
    """An open night that wants a step."""

    customer_id: str
    lane: Lane
    next_step_at: datetime


@dataclass(frozen=True, kw_only=True)
class NightGlance:
    """One nightly customer. Times are aware UTC; None: never, or nothing."""

    #: Of the open night.
    phase: str = ""
    deadline_at: datetime | None = None
    #: When the next slot comes, as the last night's end has it.
    next_at: datetime | None = None
    #: Of the last night that ended.
    last_state: str = ""
    last_reason: str = ""
    failure_rate: float = 0.0
    pauses: int = 0
    #: When one was last completed; or since when there are nights and none was.
    completed_at: datetime | None = None


class NightStore(Protocol):
    """The nights of all customers. At most one of each customer is open. Every method is one transaction."""

    def claim(self, customer_id: str, night_date: date, now: datetime) -> bool:
        """The slot's night of a date, to be taken up from now on; False if it was there, or another is still open."""
        ...

    def open_by_hand(self, customer_id: str, night_date: date, now: datetime) -> bool:
        """One more on that date; False if one is open already: that one goes on."""
        ...

    def current(self, customer_id: str) -> Night | None:
        """The open one."""
        ...

    def due(self, now: datetime) -> Sequence[DueNight]:
        """Those that want a step, the longest waiting first."""
        ...

    def save(self, night: Night, **changes: Any) -> bool:
        """Change an open night that still is in the phase of `night`. False: somebody else has moved it on."""
        ...

    def note_probe(self, customer_id: str, system: System, probe: Probe) -> None:
        """Into the open night, if it is at its prerequisites; it wants a step at once then, unless nobody was there."""
        ...

    def note_pause(self, customer_id: str) -> None:
        """One more, if a night is open."""
        ...

    def window(self, customer_id: str, now: datetime) -> Window:
        """Of a customer in nightly mode."""
        ...

    def failed_in_a_row(self, customer_id: str) -> int:
        """Ended ones since the last that did not fail, or that a person has forgiven by resuming the customer."""
        ...

    def list(self, customer_id: str | None, limit: int) -> Sequence[Night]:
        """The latest first; None: of all customers."""
        ...

    def find(self, customer_id: str, night_date: date | None) -> Night | None:
        """The latest, or the latest of a date."""
        ...


def is_rate_pause(error: Exception) -> bool:
    """Whether a budget or a 429 is what makes somebody wait, and not an outage or a backlog."""
    return isinstance(error, RateLimited) and not isinstance(error, BreakerOpen | BacklogFull)


def uncounted(customer: Customer) -> None:
    """For whoever counts no pauses."""
    del customer


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """Counts what made a nightly customer wait, where it happens. Of a continuous one nothing is written."""

    nights: NightStore

    def __call__(self, customer: Customer) -> None:
        if customer.mode is Mode.NIGHTLY:
            self.nights.note_pause(customer.customer_id)
