"""No window of the promised length ever holds more than the limit, whoever asks and whenever."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.clock import ManualClock
from common.domain.errors import BudgetExhausted
from common.domain.limits import BudgetPolicy, Share
from common.limits.budget import RedisBudget
from common.limits.memory import MemoryBudget

#: What lies between the count in Redis and our reading of the clock, on a machine that is busy with other tests.
READING_SECONDS = 0.02


def busiest_window(moments, seconds):
    """Most moments in any half-open window of the length."""
    ordered = sorted(moments)
    most, first = 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@settings(deadline=None, max_examples=60)
@given(
    limit=st.integers(1, 12),
    window=st.integers(1, 60),
    steps=st.lists(st.tuples(st.floats(0, 30), st.sampled_from(Share)), min_size=1, max_size=80),
)
def test_in_memory_no_window_ever_holds_more_than_the_limit(limit, window, steps):
    clock = ManualClock()
    budget, policy = MemoryBudget(clock), BudgetPolicy(system="s", limit=limit, window_seconds=window)
    taken = []
    for seconds, share in steps:
        clock.advance(seconds)
        try:
            budget.acquire("acme", policy, share)
        except BudgetExhausted as exhausted:
            assert exhausted.until > clock.now()
        else:
            taken.append(clock.now().timestamp())

    assert busiest_window(taken, window - 1e-6) <= limit


@settings(deadline=None, max_examples=40)
@given(limit=st.integers(1, 12), window=st.integers(1, 60), used=st.lists(st.floats(0.01, 9), max_size=30))
def test_in_memory_the_moment_told_is_one_at_which_a_request_is_free(limit, window, used):
    clock = ManualClock()
    budget, policy = MemoryBudget(clock), BudgetPolicy(system="s", limit=limit, window_seconds=window)
    for seconds in used:
        clock.advance(seconds)
        try:
            budget.acquire("acme", policy, Share.LIVE)
        except BudgetExhausted as exhausted:
            clock.current = exhausted.until + timedelta(milliseconds=1)
            budget.acquire("acme", policy, Share.LIVE)

    assert clock.now() >= ManualClock().now()


def test_many_threads_and_processes_hammering_one_budget_never_exceed_it(redis, engine, servers):
    limit, policy = 25, BudgetPolicy(system="s", limit=25, window_seconds=1)
    first_only = FirstOnce()
    budgets = [RedisBudget(redis, first_only) for _ in range(8)]
    taken: list[float] = []
    deadline = time.monotonic() + 3.5

    def hammer(budget: RedisBudget) -> None:
        while time.monotonic() < deadline:
            try:
                budget.acquire("acme", policy, Share.LIVE)
            except BudgetExhausted:
                continue
            taken.append(time.time())

    threads = [threading.Thread(target=hammer, args=(budget,)) for budget in budgets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert busiest_window(taken, 1 - READING_SECONDS) <= limit
    assert len(taken) > 2 * limit


class FirstOnce:
    """Says "first" to the first who asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False

    def is_first(self, _customer_id: str, _system: str) -> bool:
        with self._lock:
            first, self._asked = not self._asked, True
            return first
