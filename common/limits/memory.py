"""The twin of the budget: the same window, in this process only."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from common.domain.clock import Clock
from common.domain.errors import BudgetExhausted
from common.domain.limits import BudgetPolicy, RateHints, Share
from common.limits.budget import SHARE_FRACTIONS


class MemoryBudget:
    """Implements `common.domain.limits.Budget` with a log of moments; exact, and unfit for many processes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._limits: dict[tuple[str, str], int] = {}

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:
        key, now = (customer_id, policy.system), self._clock.now()
        start = now.timestamp() - policy.window_seconds
        self._taken[key] = [moment for moment in self._taken[key] if moment > start]
        limit = self._limits.get(key, policy.limit)
        if len(self._taken[key]) + 1 > max(1, int(limit * SHARE_FRACTIONS[share])):
            wait = self._taken[key][0] - start if self._taken[key] else policy.window_seconds
            until = now + timedelta(seconds=wait)
            raise BudgetExhausted(f"customer {customer_id}: {policy.system} budget used up", until=until)
        self._taken[key].append(now.timestamp())

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:
        if hints.limit is not None:
            self._limits[customer_id, policy.system] = max(1, int(hints.limit * policy.use_fraction))
