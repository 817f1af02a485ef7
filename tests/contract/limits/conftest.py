"""Budgets over three implementations: in memory, on a pretended Redis, and on a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import fakeredis
import pytest
import structlog
from redis import Redis
from support.builders import a_customer
from support.timed import TimedWorld

from common.domain.clock import ManualClock, SystemClock
from common.domain.limits import BudgetPolicy
from common.limits.budget import RedisBudget
from common.limits.memory import MemoryBudget
from common.storage.customers import PostgresCustomerStore
from common.storage.memory.throttles import MemoryThrottles
from common.storage.throttles import PostgresThrottles
from common.storage.usage import PostgresUsage


class MemoryUsage:
    """The durable side, for a budget whose counts alone are on trial."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()

    def is_first(self, customer_id: str, system: str) -> bool:
        before = len(self._used)
        self._used.add((customer_id, system))
        return len(self._used) > before


@dataclass
class Counted:
    """A budget in Redis, and what a test does to it from outside."""

    budget: RedisBudget
    forget: Callable[[], Any]


def _drop(_logger: Any, _method: str, _line: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def no_log_lines() -> Iterator[None]:
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()


def policy(**changes: Any) -> BudgetPolicy:
    return BudgetPolicy(**{"system": "crm_plus", "limit": 10, "window_seconds": 60, **changes})


@pytest.fixture
def a_policy() -> Callable[..., BudgetPolicy]:
    return policy


@pytest.fixture(params=["memory", "fakeredis", "redis"])
def budget(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryBudget(ManualClock())
    if request.param == "fakeredis":
        return RedisBudget(fakeredis.FakeStrictRedis(), MemoryUsage(), SystemClock())
    return RedisBudget(request.getfixturevalue("redis"), durable_usage(request), SystemClock())


@pytest.fixture(params=["fakeredis", "redis"])
def counted(request: pytest.FixtureRequest) -> Iterator[Counted]:
    """Only the ones that count in Redis: it may forget."""
    if request.param == "fakeredis":
        client: Redis = fakeredis.FakeStrictRedis()
        yield Counted(RedisBudget(client, MemoryUsage(), SystemClock()), client.flushdb)
        client.close()
        return
    client = request.getfixturevalue("redis")
    yield Counted(RedisBudget(client, durable_usage(request), SystemClock()), client.flushdb)


@pytest.fixture(params=["fakeredis", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[TimedWorld]:
    """Budgets in Redis, with all clocks in the test's hand."""
    if request.param == "fakeredis":
        client: Redis = fakeredis.FakeStrictRedis()
        yield TimedWorld(client, MemoryUsage())
        client.close()
        return
    yield TimedWorld(request.getfixturevalue("redis"), MemoryUsage())


@pytest.fixture(params=["memory", "postgres"])
def throttles(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryThrottles()
    return PostgresThrottles(request.getfixturevalue("engine"))


def durable_usage(request: pytest.FixtureRequest) -> PostgresUsage:
    engine = request.getfixturevalue("engine")
    for customer_id in ("acme", "globex"):
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))
    return PostgresUsage(engine, ManualClock())
