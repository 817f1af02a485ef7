"""Budgets whose every clock a test sets: the server's, and each worker's two.

The product's own scripts run, but for the one call that asks the server for its time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from common.limits.budget import SERVER_KEY, RedisBudget, Usage

ASKS_THE_TIME = "redis.call('TIME')"
TIME_KEY = "test:time"
START_SECONDS = 1_790_000_000.0
#: Run id of a server that is no more.
GONE = "0" * 40


@dataclass
class WorkerClock:
    """Elapsed time is right on every machine; the time of day is as wrong as the test wants."""

    world: TimedWorld
    error_seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.seconds, tz=UTC) + timedelta(seconds=self.error_seconds)

    def monotonic(self) -> float:
        return self.world.seconds - START_SECONDS


@dataclass
class TimedWorld:
    """One Redis, whose clock may be stepped, and the real time, which is the test's."""

    client: Redis
    usage: Usage
    seconds: float = START_SECONDS
    server_error_seconds: float = 0.0
    clocks: list[WorkerClock] = field(default_factory=list)
    _replica: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tell()

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self._tell()

    def step_server(self, seconds: float) -> None:
        self.server_error_seconds += seconds
        self._tell()

    def forget(self) -> None:
        self.client.flushdb()
        self._tell()

    def replicate(self) -> None:
        """What a replica has by now."""
        keys: Any = self.client.keys()
        self._replica = {key: self.client.dump(key) for key in keys}  # type: ignore[misc]

    def fail_over(self) -> None:
        """The replica takes over with what it has. Only its run id says that what came later is lost."""
        self.client.flushdb()
        for key, value in self._replica.items():
            self.client.restore(key, 0, value)
        self.client.set(SERVER_KEY, GONE, xx=True)
        self._tell()

    def worker(self, error_seconds: float = 0.0) -> RedisBudget:
        clock = WorkerClock(self, error_seconds)
        self.clocks.append(clock)
        budget: Any = RedisBudget(self.client, self.usage, clock)
        for name in ("_acquire", "_learn", "_close", "_look"):
            text = getattr(budget, name).script
            assert text.count(ASKS_THE_TIME) == 1
            asks_us = text.replace(ASKS_THE_TIME, f"redis.call('LRANGE', '{TIME_KEY}', 0, 1)")
            setattr(budget, name, self.client.register_script(asks_us))
        return budget

    def _tell(self) -> None:
        microseconds = round((self.seconds + self.server_error_seconds) * 1_000_000)
        self.client.delete(TIME_KEY)
        self.client.rpush(TIME_KEY, microseconds // 1_000_000, microseconds % 1_000_000)
