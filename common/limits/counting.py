"""A budget that also counts what was taken from it, for a report of what something has cost."""

from __future__ import annotations

from datetime import datetime

from common.domain.limits import Budget, BudgetPolicy, RateHints, Share


class Counting:
    """Implements `Budget` over another one."""

    def __init__(self, inner: Budget) -> None:
        self._inner = inner
        #: Requests so far.
        self.count = 0

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:
        self._inner.acquire(customer_id, policy, share)
        self.count += 1

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:
        self._inner.learn(customer_id, policy, hints)

    def close(self, customer_id: str, policy: BudgetPolicy, until: datetime) -> None:
        self._inner.close(customer_id, policy, until)
