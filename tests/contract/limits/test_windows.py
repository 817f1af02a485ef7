"""No window of the promised length ever holds more than the limit, whoever asks and whenever."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.clock import ManualClock, SystemClock
from common.domain.errors import BudgetExhausted
from common.domain.limits import BudgetPolicy, Share
from common.limits.budget import RedisBudget
from common.limits.memory import MemoryBudget


def busiest_window(spans, seconds):
    """Most spans, each from before asking to after the answer, that lie wholly within a window of the length."""
    return max((sum(s <= b and a < s + seconds for b, a in spans) for s, _ in spans), default=0)


def take(budget, policy, share=Share.LIVE):
    """None if a request could be taken, else the moment from which one may be free."""
    try:
        budget.acquire("acme", policy, share)
    except BudgetExhausted as exhausted:
        return exhausted.until
    return None


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
        until = take(budget, policy, share)
        assert until is None or until > clock.now()
        taken += [clock.now().timestamp()] if until is None else []

    assert busiest_window([(moment, moment) for moment in taken], window - 1e-6) <= limit


@settings(deadline=None, max_examples=40)
@given(limit=st.integers(1, 12), window=st.integers(1, 60), used=st.lists(st.floats(0.01, 9), max_size=30))
def test_in_memory_the_moment_told_is_one_at_which_a_request_is_free(limit, window, used):
    clock = ManualClock()
    budget, policy = MemoryBudget(clock), BudgetPolicy(system="s", limit=limit, window_seconds=window)
    for seconds in used:
        clock.advance(seconds)
        until = take(budget, policy)
        if until is not None:
            clock.current = until + timedelta(milliseconds=1)
            assert take(budget, policy) is None


@pytest.mark.parametrize("offset", [0.0, 0.5, 0.99])
def test_a_request_counts_for_a_whole_window_wherever_in_its_bucket_it_was_taken(world, offset):
    budget, policy = world.worker(), BudgetPolicy(system="s", limit=1, window_seconds=60)
    world.advance(offset)
    assert take(budget, policy) is None
    world.advance(59.99)

    assert take(budget, policy) is not None
    world.advance(2.02)
    assert take(budget, policy) is None


def test_many_threads_of_many_workers_hammering_one_budget_never_exceed_it(redis):
    policy = BudgetPolicy(system="s", limit=25, window_seconds=1)
    first_only = FirstOnce()
    budgets = [RedisBudget(redis, first_only, SystemClock()) for _ in range(8)]
    taken: list[tuple[float, float]] = []
    deadline = time.monotonic() + 3.5

    def hammer(budget: RedisBudget) -> None:
        while time.monotonic() < deadline:
            before = time.time()
            if take(budget, policy) is None:
                taken.append((before, time.time()))

    threads = [threading.Thread(target=hammer, args=(budget,)) for budget in budgets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert busiest_window(taken, policy.window_seconds) <= policy.limit
    assert len(taken) > 2 * policy.limit


class FirstOnce:
    """Says "first" to the first who asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False

    def is_first(self, _customer_id: str, _system: str) -> bool:
        with self._lock:
            first, self._asked = not self._asked, True
            return first
