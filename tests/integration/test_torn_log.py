"""A Redis that was killed and has lost the end of its log: what it counted there was counted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from support.waiting import wait_until

from common.domain.clock import SystemClock
from common.domain.errors import BudgetExhausted, BudgetUnavailable
from common.domain.limits import BudgetPolicy, Share
from common.limits.budget import RedisBudget
from deploy.local.child import Child
from deploy.local.ports import free_port
from deploy.local.privileges import data_directory, server_account
from deploy.local.redis import find_redis_server, redis_spec, redis_url

POLICY = BudgetPolicy(system="volunteer", limit=10, window_seconds=60)


class Usage:
    """The durable side: it knows who was here before."""

    def __init__(self):
        self._asked = False

    def is_first(self, customer_id, system):
        before, self._asked = self._asked, True
        return not before


@dataclass
class DurableRedis:
    """A server of the test's own, with a log."""

    child: Child
    data: Path
    url: str

    @property
    def log(self) -> Path:
        """Of one file, as Redis 6 has it, or the newest part of Redis 7."""
        return max(self.data.rglob("appendonly*.aof"), key=lambda log: log.stat().st_mtime)

    def start(self):
        self.child.start()
        wait_until(self.child.spec.ready, seconds=30, what="Redis")

    def kill(self, *, keeping):
        """kill -9, and of its log only so many bytes are left."""
        os.kill(self.child.pid, signal.SIGKILL)
        wait_until(lambda: self.child.exit_code() is not None, seconds=30, what="its end")
        os.truncate(self.log, keeping)


@pytest.fixture
def durable(tmp_path) -> Iterator[DurableRedis]:
    account, port = server_account(), free_port()
    data = data_directory(tmp_path, "redis", account)
    spec = redis_spec(
        program=find_redis_server(), data=data, port=port, log_path=tmp_path / "redis.log", account=account,
        durable=True,
    )  # fmt: skip
    server = DurableRedis(Child(spec), data, redis_url(port))
    server.start()
    yield server
    server.child.stop()


def take(budget, most):
    """How many requests of so many are permitted."""
    taken = 0
    for _ in range(most):
        try:
            budget.acquire("acme", POLICY, Share.LIVE)
        except BudgetExhausted:
            break
        taken += 1
    return taken


def test_requests_that_a_torn_log_has_forgotten_are_not_permitted_once_more(durable):
    """Nobody knows how many they were, so the budget starts closed, as it does when all of it is forgotten."""
    with Redis.from_url(durable.url) as client:
        budget = RedisBudget(client, Usage(), SystemClock())
        early = take(budget, 5)
        kept = durable.log.stat().st_size
        late = take(budget, 10)
        durable.kill(keeping=kept)
        durable.start()

        assert (early, late) == (5, 5)
        assert take_when_up(budget) == 0


def take_when_up(budget):
    """Connections of before are dead: the first question after it may find that out."""
    try:
        return take(budget, 10)
    except BudgetUnavailable:
        return take(budget, 10)
