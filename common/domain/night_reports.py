"""The report of a night, as it is stored and shown: counts and ids, no personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from common.domain.events import EventState

#: Failures kept in a report; the counts have all of them.
FAILURES = 50


@dataclass(frozen=True, kw_only=True)
class NightFailure:
    """A dead letter of the night."""

    resource: str
    source_id: str
    #: Where it failed, `detect` or `apply`, and its stable word.
    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class NightReport:
    """What a night has come to."""

    #: Of the night's runs.
    read: int = 0
    detected: int = 0
    #: Requests of these runs at the source. What the destination was asked is kept for no longer than its budget looks
    #: back, so that no night can tell.
    source_requests: int = 0
    #: Events that ended during the night, by how.
    applied: int = 0
    unchanged: int = 0
    superseded: int = 0
    skipped: int = 0
    dead_lettered: int = 0
    discarded: int = 0
    #: Accepted by the destination and not visible there yet.
    submitted: int = 0
    #: Left to the next night, and those that earlier nights had left to this one.
    deferred: int = 0
    taken_over: int = 0
    duration_seconds: float = 0.0
    rate_limit_pauses: int = 0
    #: The first ones.
    failures: Sequence[NightFailure] = ()
    #: By resource: up to which source time it is detected; None: not by time, or not yet.
    checkpoints: Mapping[str, datetime | None]
    #: Nothing that changed at the source before this is still open; None: not known yet.
    applied_through: datetime | None = None

    @property
    def failure_rate(self) -> float:
        """Failures of all that ended; 0.0 to 1.0."""
        return failure_rate(self.dead_lettered, self.ended)

    @property
    def ended(self) -> int:
        """Events that reached a final state, whatever it is."""
        return self.applied + self.unchanged + self.superseded + self.skipped + self.dead_lettered + self.discarded

    def to_json(self) -> dict[str, Any]:
        """Times in ISO."""
        through = self.applied_through
        return {
            **asdict(self),
            "failures": [asdict(each) for each in self.failures],
            "checkpoints": {name: at.isoformat() if at else None for name, at in self.checkpoints.items()},
            "applied_through": through.isoformat() if through else None,
            "failure_rate": self.failure_rate,
        }


def failure_rate(failures: int, ended: int) -> float:
    """Of all that ended, not of what went well: one failure and nothing else is a rate of 1, not of infinity."""
    return failures / ended if ended else 0.0


def by_state(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of final states, as the fields of a report."""
    names = ("applied", "unchanged", "superseded", "skipped", "dead_lettered", "discarded")
    return {name: counts.get(EventState(name), 0) for name in names}


def applied_through(checkpoint: datetime | None, oldest_open: datetime | None) -> datetime | None:
    """The highest contiguous source time: what is detected, and no event of it open. None: nothing is detected yet."""
    known = [moment for moment in (checkpoint, oldest_open) if moment is not None]
    return None if checkpoint is None else min(known)
