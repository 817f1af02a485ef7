"""One of the processes that spend budgets: `python -m benchmarks.fleet.spender '<orders as JSON>'`.

For some customers it asks as fast as it may, for others at a pace. It notes when each request would have gone out, on
the clock that all processes of the machine share. Its time of day, which the budget must not depend on, can be made to
jump.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.waiting import wait_until

from common.domain.clock import SystemClock
from common.domain.customers import Lane
from common.domain.errors import BudgetExhausted
from common.domain.limits import BudgetPolicy, Share
from common.limits.budget import RedisBudget
from common.queueing.hot_set import connect_redis
from common.storage.engine import make_engine
from common.storage.usage import PostgresUsage

SYSTEM = "volunteer"
#: Seconds between two jumps of a jumping clock, and where it jumps to in turn: seconds from the true time.
JUMP_EVERY = 3.0
JUMPS = (60.0, -300.0, 7200.0, -86_400.0, 0.0)
#: However long it is told to wait, it asks again within this: a jumping clock makes nonsense of the time it is told.
LONGEST_WAIT = 0.1
SHORTEST_WAIT = 0.002
GO_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What one process is to do."""

    database_url: str
    broker_url: str
    #: Asked for as fast as may be, and asked for every `pace_seconds` or so.
    hammered: list[str]
    paced: list[str]
    pace_seconds: float
    limit: int
    window_seconds: int
    seconds: float
    jumps: bool
    #: `<stem>.ready` says that it is; `go` lets all begin; `<stem>.json` holds the result.
    stem: str
    go: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class JumpingClock:
    """A machine whose time of day is set again and again, by minutes and by hours; its monotonic clock is sound."""

    def now(self) -> datetime:
        jump = JUMPS[int(time.monotonic() / JUMP_EVERY) % len(JUMPS)]
        return datetime.now(UTC) + timedelta(seconds=jump)

    def monotonic(self) -> float:
        return time.monotonic()


class Spender:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._clock = JumpingClock() if orders.jumps else SystemClock()
        engine = make_engine(orders.database_url, connections=1, name="spender")
        usage = PostgresUsage(engine, SystemClock())
        self._budget = RedisBudget(connect_redis(orders.broker_url), usage, self._clock)
        self._policy = BudgetPolicy(
            system=SYSTEM, limit=orders.limit, window_seconds=orders.window_seconds, lane=Lane.STANDARD
        )
        self.granted: dict[str, list[float]] = defaultdict(list)
        self.refused: dict[str, list[float]] = defaultdict(list)
        self.latencies: list[float] = []
        self._not_before = dict.fromkeys([*orders.hammered, *orders.paced], 0.0)
        self._paced = frozenset(orders.paced)
        self._random = random.Random(orders.stem)

    def spend(self) -> None:
        end = time.monotonic() + self._orders.seconds
        while (now := time.monotonic()) < end:
            due = [customer for customer, moment in self._not_before.items() if moment <= now]
            for customer in due:
                self._ask(customer)
            if not due:
                time.sleep(max(0.0, min(self._not_before.values()) - now))

    def _ask(self, customer: str) -> None:
        began = time.monotonic()
        pause = self._pause(customer)
        try:
            self._budget.acquire(customer, self._policy, Share.LIVE)
        except BudgetExhausted as limit:
            wait = (limit.until - self._clock.now()).total_seconds()
            self.refused[customer].append(time.monotonic())
            pause = pause or min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
        else:
            self.granted[customer].append(time.monotonic())
        self.latencies.append(time.monotonic() - began)
        self._not_before[customer] = began + pause

    def _pause(self, customer: str) -> float:
        """Random, so that processes do not fall into step."""
        return self._random.uniform(0.5, 1.5) * self._orders.pace_seconds if customer in self._paced else 0.0


def main(orders: Orders) -> None:
    spender = Spender(orders)
    Path(f"{orders.stem}.ready").touch()
    wait_until(Path(orders.go).exists, seconds=GO_SECONDS, what="the others to be ready")
    spender.spend()
    result: dict[str, Any] = {"granted": spender.granted, "refused": spender.refused, "latencies": spender.latencies}
    Path(f"{orders.stem}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Orders(**json.loads(sys.argv[1])))
