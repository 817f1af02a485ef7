"""The twin of the budget: the same window, in this process only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from common.domain.clock import Clock
from common.domain.errors import BudgetExhausted
from common.domain.limits import (
    LONGEST_CLOSE_SECONDS,
    THROTTLE_RECHECK_SECONDS,
    BudgetPolicy,
    RateHints,
    Share,
    allowance,
)
from common.domain.throttles import Throttle, fraction_of

Key = tuple[str, str]


class MemoryBudget:
    """Implements `Budget` and `Brake` with a log of moments; exact, and unfit for many processes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: dict[Key, list[float]] = defaultdict(list)
        self._limits: dict[Key, int] = {}
        self._told: dict[Key, datetime] = {}
        self._throttles: Sequence[Throttle] = ()

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:
        key, now = (customer_id, policy.system), self._clock.now()
        wait = self._wait_seconds(key, policy, share, now)
        if wait > 0:
            until = now + timedelta(seconds=wait)
            raise BudgetExhausted(f"customer {customer_id}: {policy.system} budget used up", until=until)
        self._taken[key].append(now.timestamp())

    def _wait_seconds(self, key: Key, policy: BudgetPolicy, share: Share, now: datetime) -> float:
        """0: one may be taken now."""
        if key in self._told and self._told[key] > now:
            return (self._told[key] - now).total_seconds()
        limit, throttle = self._limits.get(key, policy.limit), fraction_of(self._throttles, policy.system, policy.lane)
        if throttle <= 0:
            return THROTTLE_RECHECK_SECONDS
        start = now.timestamp() - policy.window_seconds
        taken = self._taken[key] = [moment for moment in self._taken[key] if moment > start]
        excess = len(taken) + 1 - allowance(limit, share, throttle)
        if excess <= 0:
            return 0
        wait = taken[excess - 1] - start
        throttled_only = len(taken) < allowance(limit, share, 1.0)
        return min(wait, THROTTLE_RECHECK_SECONDS) if throttled_only else wait

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:
        if hints.limit is not None:
            self._limits[customer_id, policy.system] = max(1, int(hints.limit * policy.use_fraction))

    def close(self, customer_id: str, policy: BudgetPolicy, until: datetime) -> None:
        key, latest = (customer_id, policy.system), self._clock.now() + timedelta(seconds=LONGEST_CLOSE_SECONDS)
        self._told[key] = max(min(until, latest), self._told.get(key, until))

    def obey(self, throttles: Sequence[Throttle]) -> None:
        self._throttles = tuple(throttles)
