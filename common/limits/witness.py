"""Notices that the Redis server's clock was stepped, by this process's clock that never is.

Budgets are counted by the server's clock, so a worker's own time of day may be wrong, or be set by hours: it plays no
part. What is left is a step of the server's clock (a correction after boot, a failover to a machine with another
time), after which nobody knows how old a count is. The monotonic clock of any process that asked before and asks after
shows it: each answer's time lies between its sending and its return, which bounds the distance between the two clocks;
and all answers must agree on that distance, but for how much clocks may drift apart.

A process that was stopped with its machine (a suspended guest) sees a step where there was none: budgets then start
closed once, which is safe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

#: Two sound clocks drift apart by less than this: time services slew by at most 0.0005, each.
DRIFT_SECONDS_PER_SECOND = 0.001
#: A smaller step is covered by the bucket that a window has to spare, in seconds.
UNSEEN_STEP_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The server's time and mark as answered, between two moments of this process's monotonic clock; in seconds."""

    sent: float
    returned: float
    server: float
    mark: str


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far the server's clock is ahead of ours, at least and at most, as of a moment of ours; in seconds."""

    least: float
    most: float
    at: float

    def by(self, moment: float) -> Distance:
        """Less certain with time."""
        drift = DRIFT_SECONDS_PER_SECOND * abs(moment - self.at)
        return Distance(least=self.least - drift, most=self.most + drift, at=moment)

    def gap(self, other: Distance) -> float:
        """0 or less where both can be true."""
        return max(self.least - other.most, other.least - self.most)

    def narrowed(self, other: Distance) -> Distance:
        return Distance(least=max(self.least, other.least), most=min(self.most, other.most), at=other.at)


@dataclass
class Witness:
    """Remembers what this process knows of the server's clock; used by all its threads."""

    _known: Distance | None = None
    _mark: str = ""
    _lock: Lock = field(default_factory=Lock)

    def sees_a_step(self, reading: Reading) -> bool:
        """True if the server's clock was stepped and nobody has said so yet; else the reading is remembered.

        A mark that is not the remembered one means that somebody has: then the new clock is taken as it is. A mark that
        is gone says nothing: Redis was flushed.
        """
        seen = Distance(
            least=reading.server - reading.returned, most=reading.server - reading.sent, at=reading.returned
        )
        with self._lock:
            told = reading.mark not in {self._mark, ""}
            known = None if self._known is None or told else self._known.by(seen.at)
            gap = seen.gap(known) if known is not None else 0.0
            if gap > UNSEEN_STEP_SECONDS:
                return True
            # After a smaller gap what was known stays: the next one adds to it, until drift may explain them both.
            self._known = seen if known is None else known if gap > 0 else known.narrowed(seen)
            self._mark = reading.mark
            return False
