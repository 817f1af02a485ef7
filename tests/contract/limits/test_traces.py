"""Whatever happens, and in whatever order, no window holds more requests than the limit in force; and under load
nearly all of the allowance is used.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.builders import NOW
from support.timed import TimedWorld

from common.domain.customers import Lane
from common.domain.errors import BudgetExhausted
from common.domain.limits import SHARE_FRACTIONS, BudgetPolicy, RateHints, Share, allowance
from common.domain.throttles import Throttle

WINDOW = 60
#: What is sent may arrive a little later than it was permitted, and the next a little earlier: the tolerance of the
#: check, in seconds. A window of exactly the length never holds a request at both of its ends.
EDGE = 1e-6

#: Most of them around the length of a window, where a bucket too few would show.
PAUSES = st.one_of(
    st.floats(0.01, 2), st.floats(0.01, 61), st.floats(58.5, 60), st.floats(58.5, 60), st.just(62.0), st.just(200.0)
)
STEPS = st.sampled_from([-86_400.0, -3600.0, -90.0, -20.0, -2.0, 2.0, 20.0, 90.0, 3600.0, 86_400.0])
OPERATIONS = st.one_of(
    st.tuples(st.just("take"), st.integers(1, 30), st.sampled_from(Share)),
    st.tuples(st.just("take"), st.integers(1, 30), st.sampled_from(Share)),
    st.tuples(st.just("pause"), PAUSES),
    st.tuples(st.just("pause"), PAUSES),
    st.tuples(st.just("learn"), st.integers(1, 40)),
    st.tuples(st.just("throttle"), st.sampled_from([0.0, 0.3, 0.5, 1.0])),
    st.tuples(st.just("wait"), st.floats(0.1, 100)),
    st.tuples(st.just("forget")),
    st.tuples(st.just("server"), STEPS),
    st.tuples(st.just("worker"), STEPS),
)


class FirstOnce:
    """The durable side: remembers who was ever used."""

    def __init__(self):
        self.used = set()

    def is_first(self, customer_id, system):
        first = (customer_id, system) not in self.used
        self.used.add((customer_id, system))
        return first


class Trace:
    """Plays operations on three workers' budgets, and keeps its own account of what was permitted."""

    def __init__(self, client, limit):
        client.flushdb()
        self.world = TimedWorld(client, FirstOnce())
        self.workers = [self.world.worker() for _ in range(3)]
        self.policy = BudgetPolicy(system="volunteer", limit=limit, window_seconds=WINDOW, lane=Lane.STANDARD)
        self.limit, self.throttle, self.told_until = limit, 1.0, 0.0
        self.taken: list[float] = []
        self._look()  # each has been there before anything is stepped

    def play(self, number, operation):
        name, *values = operation
        getattr(self, f"_{name}")(self.workers[number % 3], *values)

    def _take(self, worker, count, share):
        for _ in range(count):
            try:
                worker.acquire("acme", self.policy, share)
            except BudgetExhausted:
                return
            self.check(share)

    def check(self, share):
        now = self.world.seconds
        assert now >= self.told_until - 0.002, "sent while the system said to wait"
        self.taken.append(now)
        window = [moment for moment in self.taken if moment > now - WINDOW + EDGE]
        assert len(window) <= allowance(self.limit, share, self.throttle), f"{len(window)} in the window to {now}"

    def _pause(self, _worker, seconds):
        self.world.advance(seconds)

    def _learn(self, worker, limit):
        worker.learn("acme", self.policy, RateHints(limit=limit))
        self.limit = max(1, int(limit * 0.8))

    def _throttle(self, worker, fraction):
        worker.obey([Throttle(system="volunteer", fraction=fraction, actor="ops", set_at=NOW)])
        self.throttle = fraction

    def _wait(self, worker, seconds):
        worker.close("acme", self.policy, self.clock_of(worker).now() + timedelta(seconds=seconds))
        self.told_until = max(self.told_until, self.world.seconds + seconds)

    def _forget(self, _worker):
        self.world.forget()
        self.limit, self.throttle, self.told_until = self.policy.limit, 1.0, 0.0

    def _server(self, _worker, seconds):
        """A process that was there before the step sees it before any other acts: see `common.limits.witness`."""
        self.world.step_server(seconds)
        self._look()

    def _look(self):
        for worker in self.workers:
            with suppress(BudgetExhausted):
                worker.acquire("somebody else", self.policy, Share.LIVE)

    def _worker(self, worker, seconds):
        self.clock_of(worker).error_seconds += seconds

    def clock_of(self, worker):
        return self.world.clocks[self.workers.index(worker)]


def play(client, limit, operations):
    trace = Trace(client, limit)
    for number, operation in operations:
        trace.play(number, operation)


TRACES = st.lists(st.tuples(st.integers(0, 2), OPERATIONS), min_size=5, max_size=60)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 40), operations=TRACES)
def test_no_window_holds_more_than_the_limit_in_force_whatever_happens(redis, limit, operations):
    play(redis, limit, operations)


@pytest.mark.parametrize("share", Share)
@pytest.mark.parametrize(("limit", "window", "pace"), [(100, 60, 0.1), (1200, 3600, 7), (10, 10, 0.05), (33, 60, 0.37)])
def test_under_load_nineteen_twentieths_of_the_allowance_are_used(redis, limit, window, pace, share):
    world = TimedWorld(redis, FirstOnce())
    workers = [world.worker(), world.worker(3600.0)]
    policy, windows = BudgetPolicy(system="s", limit=limit, window_seconds=window), 12
    end, taken, number = world.seconds + window * windows, 0, 0
    while world.seconds < end:
        number += 1
        try:
            workers[number % 2].acquire("acme", policy, share)
            taken += 1
        except BudgetExhausted as exhausted:
            # As a worker does: not again before the moment told, and then a little late.
            wait = (exhausted.until - world.clocks[number % 2].now()).total_seconds()
            world.advance(wait + pace / 10)
        if number % 10 == 0:
            world.advance(pace / 10)

    possible = allowance(limit, share, 1.0) * windows
    assert possible * 0.95 <= taken <= possible
    assert SHARE_FRACTIONS[share] * limit * windows >= taken
