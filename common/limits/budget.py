"""The budget in Redis.

Why a bucketed window and not GCRA: an hourly limit must allow a burst of a hundred requests now and still hold in any
hour; a window of counters does that exactly, to one sixtieth of its length on the safe side, and says when the next
request is free. The hash never expires: a missing one means that Redis has forgotten, and then the budget starts
closed,
until the window has passed or, where answers carry the system's own count, until one probing request has been answered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError

from common.domain.errors import BudgetExhausted, SystemUnavailable
from common.domain.limits import BudgetPolicy, RateHints, Share

#: Counters a window is cut into: the limit is used to within a sixtieth, and a hash stays near 60 small fields.
BUCKETS = 60
#: Part of a limit that work of this share may fill; the rest stays for live changes.
SHARE_FRACTIONS = {Share.LIVE: 1.0, Share.BACKFILL: 0.8}

TAKEN, LATER, UNKNOWN = 0, 1, 2


class Usage(Protocol):
    """The durable side: see `common.storage.usage`."""

    def is_first(self, customer_id: str, system: str) -> bool: ...


class RedisBudget:
    """Implements `common.domain.limits.Budget` over all processes."""

    def __init__(self, client: Redis, usage: Usage) -> None:
        scripts = files("common.limits")
        self._acquire = client.register_script((scripts / "acquire.lua").read_text())
        self._learn = client.register_script((scripts / "learn.lua").read_text())
        self._usage = usage

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:
        outcome, moment = self._take(customer_id, policy, share, "ask")
        if outcome == UNKNOWN:
            knows = "first" if self._usage.is_first(customer_id, policy.system) else "lost"
            outcome, moment = self._take(customer_id, policy, share, knows)
        if outcome == LATER:
            until = datetime.fromtimestamp(moment / 1000, tz=UTC)
            raise BudgetExhausted(f"customer {customer_id}: {policy.system} budget used up", until=until)

    def _take(self, customer_id: str, policy: BudgetPolicy, share: Share, knows: str) -> tuple[int, int]:
        arguments: list[str | int | float] = [
            policy.limit, policy.window_seconds * 1000, BUCKETS, SHARE_FRACTIONS[share], knows,
            int(policy.reports_usage),
        ]  # fmt: skip
        try:
            outcome, moment = self._acquire(keys=[budget_key(customer_id, policy.system)], args=arguments)
        except RedisError as error:
            # Without the count there is no permission: a budget that cannot be read is closed.
            raise SystemUnavailable(f"no budget: Redis: {type(error).__name__}", sent=False) from error
        return int(outcome), int(moment)

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:
        if hints.limit is None:
            return
        ours = max(1, int(hints.limit * policy.use_fraction))
        used = "" if hints.remaining is None else max(0, hints.limit - hints.remaining)
        arguments = [ours, used, policy.window_seconds * 1000, BUCKETS]
        try:
            self._learn(keys=[budget_key(customer_id, policy.system)], args=arguments)
        except RedisError as error:
            raise SystemUnavailable(f"no budget: Redis: {type(error).__name__}", sent=True) from error


def budget_key(customer_id: str, system: str) -> str:
    return f"budget:{system}:{customer_id}"
