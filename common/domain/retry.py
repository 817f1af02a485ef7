"""When to try again: pure functions of attempts and a random number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with equal jitter, capped: all wait half of the longest wait, and the rest at random.

    The fixed half is 1, 2, 4, 8, 16 s ..., the series that the API guides name, up to `cap_seconds`; so by default no
    wait is longer than ten minutes. Full jitter would let some come back at once, and a system in trouble is spared.
    """

    base_seconds: float = 1.0
    factor: float = 2.0
    cap_seconds: float = 300.0
    #: Up to this part of the fixed delay is added at random, so that a herd does not come back together.
    jitter_fraction: float = 1.0

    def delay_seconds(self, attempts: int, random_unit: float) -> float:
        """Seconds to wait after the `attempts`-th failure (1-based); `random_unit` is in [0, 1)."""
        exponent = min(max(attempts, 1) - 1, 30)
        delay = min(self.base_seconds * self.factor**exponent, self.cap_seconds)
        return delay * (1 + self.jitter_fraction * random_unit)


#: What a destination still holds after so long will hardly come through by itself: a person should look, and we look
#: once a day. Three days are a weekend and a working day of whoever releases imports by hand.
HELD_TOO_LONG_SECONDS = 72 * 3600.0
HELD_TOO_LONG_STEP_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """When to look for what a destination has accepted and does not show yet: at half its age, within bounds."""

    #: First look after this many seconds ...
    first_seconds: float = 1.0
    #: ... and then never less often than this: an hour, so that an import shows in the hour in which it ran.
    longest_seconds: float = 3600.0

    def delay_seconds(self, age_seconds: float) -> float:
        """How long to wait before the next look at a submission of this age: by default some ninety looks in 72 h."""
        if age_seconds >= HELD_TOO_LONG_SECONDS:
            return HELD_TOO_LONG_STEP_SECONDS
        return min(max(self.first_seconds, age_seconds / 2), self.longest_seconds)


#: An import that runs as soon as it is submitted.
AT_ONCE = Confirmation()
#: One that runs at night: the first look is for those that were submitted while it ran.
NIGHTLY = Confirmation(first_seconds=600.0, longest_seconds=3600.0)
#: One that staff release when they get to it: more than a few looks a day would hardly tell it any sooner.
BY_STAFF = Confirmation(first_seconds=3600.0, longest_seconds=6 * 3600.0)
