"""The budget as a machine: several processes, wrong and stepped clocks, a Redis that forgets, limits that are learned.

The model is a list of the real moments at which a request was let through. It says two things. No window of the
promised length holds more than the allowance: that is judged at each request, over the window that ends with it. And
nobody is refused for nothing: with fewer requests in a window and its spare two buckets than the allowance, and nothing
forgotten for as long, the answer is yes; else the moment told is one at which it will be.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from redis import Redis
from support.effort import try_out
from support.timed import TimedWorld

from common.domain.clock import ManualClock
from common.domain.errors import BudgetExhausted
from common.domain.limits import BudgetPolicy, RateHints, Share, allowance
from common.limits.memory import MemoryBudget

WINDOW, BUCKETS = 60, 60
#: A window, the bucket that it is cut by, and one for the way there: what a count may be held against us.
SPAN = WINDOW * (1 + 2 / BUCKETS)
#: Moments of a request and of a stay are told in milliseconds; nothing here is finer.
TICK = 0.002
#: A step of the server's clock that is no larger goes unseen (`common.limits.witness`), and moves what is told by that.
UNSEEN = 0.5
#: Between the count of a request and its arrival, in seconds. With an unseen step it is less than the bucket to spare.
ON_THE_WAY = 0.49
PROCESSES = 3
FRACTION = 0.8
processes = st.integers(0, PROCESSES - 1)
shares = st.sampled_from(Share)
waits = st.sampled_from((0.0, 0.3, 0.999, 1.0, 5.0, 29.5, 58.0, 59.99, 60.0, 62.1, 200.0))
#: By how much the server's clock may be set at a time. Two of the small ones are one that must be seen.
clock_steps = st.sampled_from((-86_400.0, -3600.0, -61.0, -5.0, -1.0, -0.4, 0.4, 1.0, 5.0, 61.0, 3600.0, 86_400.0))

SHAKES = ("forget", "wait", "clock", "wait and clock")


class Usage:
    """The durable side: who has ever used a budget."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()

    def is_first(self, customer_id: str, system: str) -> bool:
        is_new = (customer_id, system) not in self._used
        self._used.add((customer_id, system))
        return is_new


class Exact:
    """The twin in a test's hands: one process, one clock, and nothing to forget."""

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._budget = MemoryBudget(self._clock)
        self.clocks = [self._clock] * PROCESSES
        self.seconds = 0.0

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self._clock.advance(seconds)

    def worker(self, _error_seconds: float = 0.0) -> MemoryBudget:
        return self._budget


class Spending(RuleBasedStateMachine):
    """What all implementations must do."""

    def __init__(self, start: Callable[[], Any]) -> None:
        super().__init__()
        self.world = start()
        self.limit, self.throttle = 5, 1.0
        self.taken: list[float] = []
        #: Seconds from the count of a request to its arrival.
        self.on_the_way = 0.0
        #: Until then the system wants to be left alone; and until when it may be: once a clock was set, nobody knows
        #: how much of a wait is over.
        self.told_until = self.told_latest = self.world.seconds
        self.told_wait = 0.0
        #: Since then nothing was forgotten: counts older than that may be held against us.
        self.sound_since = self.world.seconds - SPAN
        #: Processes that have not asked since something was: each may find out by itself.
        self.unaware: set[int] = set()

    @initialize(errors=st.tuples(*[st.sampled_from((0.0, -3600.0, 45.0))] * PROCESSES))
    def begin(self, errors: tuple[float, ...]) -> None:
        self.workers = [self.world.worker(error) for error in errors]
        self.errors = list(errors)
        # Whoever has looked at the clock once sees its steps; a fleet's sweep has.
        self.everybody_looks()

    def everybody_looks(self) -> None:
        for process, worker in enumerate(self.workers):
            self._aware(process)
            worker.obey(())

    @property
    def now(self) -> float:
        return self.world.seconds

    @property
    def policy(self) -> BudgetPolicy:
        return BudgetPolicy(system="s", limit=5, window_seconds=WINDOW, use_fraction=FRACTION)

    def used(self, seconds: float) -> int:
        return sum(moment > self.now - seconds + TICK for moment in self.taken)

    def in_its_windows(self) -> int:
        """Requests that the system has got, in the fullest of all windows that hold the last one."""
        last = self.taken[-1]
        ends = [end for end in self.taken if last <= end < last + WINDOW - TICK]
        return max(sum(end - WINDOW + TICK < each <= end for each in self.taken) for end in ends)

    @rule(seconds=waits)
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(process=processes, share=shares, times=st.integers(1, 6))
    def a_process_asks(self, process: int, share: Share, times: int) -> None:
        for _ in range(times):
            self._ask(process, share)

    def _ask(self, process: int, share: Share) -> None:
        allowed = allowance(self.limit, share, self.throttle)
        self._aware(process)
        try:
            self.workers[process].acquire("acme", self.policy, share)
        except BudgetExhausted as refusal:
            self._refused(process, allowed, refusal)
            return
        assert self.now >= self.told_until - UNSEEN, f"asked {self.told_until - self.now:.3f} s before it was to be"
        self.taken.append(self.now + self.on_the_way)
        most = self.in_its_windows()
        assert most <= allowed, f"{most} requests within {WINDOW} s, {allowed} are allowed"

    def _aware(self, process: int) -> None:
        if process in self.unaware:
            self.unaware.discard(process)
            self.sound_since, self.told_latest = self.now, max(self.told_latest, self.now + self.told_wait)

    def _refused(self, process: int, allowed: int, refusal: BudgetExhausted) -> None:
        is_calm = self.now >= self.told_latest + UNSEEN and self.sound_since <= self.now - SPAN - UNSEEN
        assert not (is_calm and self.used(SPAN + UNSEEN) < allowed), f"refused with {self.used(SPAN)} of {allowed} used"
        wait = (refusal.until - self.world.clocks[process].now()).total_seconds()
        least = max(0.0, self.told_until - self.now - UNSEEN)
        assert least <= wait <= max(SPAN, self.told_latest - self.now + SPAN) + UNSEEN, f"told to wait for {wait} s"

    @rule(limit=st.integers(1, 12), process=processes)
    def an_answer_tells_the_limit(self, limit: int, process: int) -> None:
        """Only the limit: whose count of use is whose is for the test of usage that is reported."""
        self.workers[process].learn("acme", self.policy, RateHints(limit=limit))
        self.limit = max(1, int(limit * FRACTION))

    @rule(process=processes, seconds=st.sampled_from((1, 30, 600)))
    def the_system_says_to_wait(self, process: int, seconds: int) -> None:
        self.workers[process].close("acme", self.policy, self.world.clocks[process].now() + timedelta(seconds=seconds))
        self.told_until = max(self.told_until, self.now + seconds)
        self.told_wait = max(self.told_wait, float(seconds))
        self.told_latest = max(self.told_latest, self.now + self.told_wait)


class Counting(Spending):
    """What may happen to one that counts in Redis."""

    @rule(seconds=st.sampled_from((0.0, ON_THE_WAY)))
    def requests_take_their_time(self, seconds: float) -> None:
        self.on_the_way = seconds

    @initialize()
    def a_replica_has_nothing(self) -> None:
        self.a_replica_catches_up()

    @rule()
    def a_replica_catches_up(self) -> None:
        self.world.replicate()
        self.replicated_limit, self.replicated_wait = self.limit, self.told_wait

    @rule()
    def the_replica_takes_over(self) -> None:
        """What was counted and learned since is lost, and what the system said to wait may be."""
        self.world.fail_over()
        self.unaware = set(range(PROCESSES))
        self.told_until = self.told_latest = min(self.told_until, self.now)
        self.limit, self.told_wait = self.replicated_limit, self.replicated_wait

    @rule(step=clock_steps)
    def the_clock_of_redis_is_set(self, step: float) -> None:
        """Everybody has looked since the last time: a process that has not takes the clock as another one left it."""
        self.everybody_looks()
        self.world.step_server(step)
        self.unaware = set(range(PROCESSES))

    @rule()
    def redis_forgets(self) -> None:
        """What the system said to wait is forgotten too: the budget is closed for a window, and then asks again."""
        self.world.forget()
        self.unaware = set(range(PROCESSES))
        self.told_until = self.told_latest = min(self.told_until, self.now)
        self.told_wait = 0.0
        self.limit = self.policy.limit

    @rule(process=processes)
    def a_process_is_started_anew(self, process: int) -> None:
        """The others have looked at the clock before it takes anything, as the sweep does every few seconds."""
        self.everybody_looks()
        self.workers[process] = self.world.worker(self.errors[process])
        self.world.clocks[process] = self.world.clocks.pop()
        self.workers[process].obey(())

    @rule(
        process=processes, other=processes, shake=st.sampled_from(SHAKES), step=clock_steps,
        later=st.sampled_from((0.0, 31.0, 58.0)),
    )  # fmt: skip
    def a_full_budget_is_shaken(self, process: int, other: int, shake: str, step: float, later: float) -> None:
        """What chance seldom brings together: all of a budget is taken, late in a bucket, and something happens."""
        self.world.advance(0.999)
        self._ask(process, Share.LIVE)
        self._fill(process)
        self._shake(process, shake, step)
        self._ask(other, Share.LIVE)
        self.world.advance(later)
        self._fill(other)

    @rule(process=processes, other=processes)
    def a_full_budget_opens_again(self, process: int, other: int) -> None:
        """Taken late in a bucket, and the first of it arrives later still."""
        self.world.advance(0.999)
        self.requests_take_their_time(ON_THE_WAY)
        self._fill(process)
        self.requests_take_their_time(0.0)
        self.world.advance(WINDOW + 0.3)
        self._fill(other)

    @rule(process=processes, other=processes)
    def a_replica_takes_over_a_full_budget(self, process: int, other: int) -> None:
        self._ask(process, Share.LIVE)
        self.a_replica_catches_up()
        self._fill(process)
        self.the_replica_takes_over()
        self._fill(other)

    def _fill(self, process: int) -> None:
        for _ in range(self.limit + 1):
            self._ask(process, Share.LIVE)

    def _shake(self, process: int, shake: str, step: float) -> None:
        if shake == "forget":
            self.redis_forgets()
        if "wait" in shake:
            self.the_system_says_to_wait(process, 600)
            self.the_system_says_to_wait(process, 1)
        if "clock" in shake:
            self.the_clock_of_redis_is_set(step)

    @precondition(lambda self: self.taken)
    @rule(process=processes)
    def a_closed_budget_opens_by_itself(self, process: int) -> None:
        """A whole span after the last that shook it, and not for the length of any step."""
        self._ask(process, Share.LIVE)
        self.world.advance(max(SPAN, self.told_latest - self.now + SPAN) + UNSEEN + TICK)
        before = len(self.taken)
        self._ask(process, Share.LIVE)
        assert len(self.taken) > before, "it stays closed"


@pytest.fixture
def start(redis: Redis) -> Callable[[], TimedWorld]:
    def anew() -> TimedWorld:
        redis.flushdb()
        return TimedWorld(redis, Usage())

    return anew


def test_in_redis_no_window_holds_more_than_the_limit_and_nobody_waits_for_nothing(start):
    try_out(lambda: Counting(start), examples=25)


def test_in_memory_no_window_holds_more_than_the_limit_and_nobody_waits_for_nothing():
    try_out(lambda: Spending(Exact), examples=40)
