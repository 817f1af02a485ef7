"""When to try again: pure functions of attempts and a random number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full upper jitter, capped. 1, 2, 4, 8, 16 s is the series the API guides name."""

    base_seconds: float = 1.0
    factor: float = 2.0
    cap_seconds: float = 300.0
    #: Up to this part of the delay is added at random, so that a herd does not come back together.
    jitter_fraction: float = 0.5

    def delay_seconds(self, attempts: int, random_unit: float) -> float:
        """Seconds to wait after the `attempts`-th failure (1-based); `random_unit` is in [0, 1)."""
        exponent = min(max(attempts, 1) - 1, 30)
        delay = min(self.base_seconds * self.factor**exponent, self.cap_seconds)
        return delay * (1 + self.jitter_fraction * random_unit)


#: A held import is looked for first after this many seconds ...
FIRST_CONFIRMATION_SECONDS = 1.0
#: ... and never less often than this: an hour, so that a staff-run import shows the same hour.
LONGEST_CONFIRMATION_SECONDS = 3600.0


def confirmation_delay_seconds(age_seconds: float) -> float:
    """How long to wait before looking again for a submission of this age: half its age, so about 30 looks in 72 h."""
    return min(max(FIRST_CONFIRMATION_SECONDS, age_seconds / 2), LONGEST_CONFIRMATION_SECONDS)
