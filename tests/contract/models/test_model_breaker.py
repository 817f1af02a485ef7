"""The breaker as a machine: several processes ask, are answered, fail, die and come back late.

The model is a traffic light with a clock. It knows requests, and nothing of leases, rows or processes: only who is out
as the probe. Processes use the real `Passage`, as a slice and a run do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule
from support.builders import NOW, a_customer
from support.effort import try_out

from common.domain.breakers import BreakerPolicy, BreakerState
from common.domain.clock import ManualClock
from common.domain.customers import System
from common.domain.errors import BreakerOpen, CredentialsBlocked, RecordRefused, SystemUnavailable, TokenRejected
from common.domain.passages import Passage, passing
from common.storage.breakers import PostgresBreakers
from common.storage.customers import PostgresCustomerStore
from common.storage.memory.breakers import MemoryBreakers

POLICY = BreakerPolicy(failures=3, first_seconds=30, cap_seconds=100, jitter_fraction=0.0, lease_seconds=120)
PROCESSES, AT_ONCE = 3, 4
processes = st.integers(0, PROCESSES - 1)
#: On both sides of every time that the policy knows, and of the few seconds after which a waiting caller asks again.
waits = st.sampled_from((0, 1, 5, 29, 30, 60, 99, 100, 119, 120, 121))

UP, DOWN, TRYING, SHUT = "up", "down", "trying", "shut"


@dataclass(eq=False)
class Asker:
    """Somebody who was let through. Whether its successes are told depends on what it saw when it came."""

    passage: Passage
    is_clean: bool


@dataclass
class Light:
    """The model."""

    shows: str = UP
    failures: int = 0
    times_down: int = 0
    #: DOWN: until then nobody; TRYING: until then nobody but the probe.
    until: datetime = NOW
    probe: Asker | None = None

    def go_down(self, now: datetime) -> None:
        self.times_down += 1
        seconds = (30, 60, 100)[min(self.times_down, 3) - 1]
        self.shows, self.until, self.probe = DOWN, now + timedelta(seconds=seconds), None

    def go_up(self) -> None:
        self.shows, self.failures, self.times_down, self.probe = UP, 0, 0, None


class Traffic(RuleBasedStateMachine):
    askers = Bundle("askers")

    def __init__(self, start: Callable[[], tuple[str, list[Any]]]) -> None:
        super().__init__()
        self.customer_id, self.processes = start()
        self.clock, self.light = ManualClock(NOW), Light()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def ask(self, process: int) -> Asker | Exception:
        breakers = self.processes[process]
        try:
            passage = passing(breakers, self.clock, self.customer_id, System.DESTINATION)
        except (BreakerOpen, CredentialsBlocked) as told:
            return told
        return Asker(passage, is_clean=self.light.shows == UP and self.light.failures == 0)

    @rule(seconds=waits)
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(target=askers, process=processes)
    def somebody_asks(self, process: int) -> Any:
        return self._let_through([self.ask(process)])

    @rule(target=askers)
    def several_ask_at_once(self) -> Any:
        """From threads of all processes: between the look of one and its probe going out, another looks."""
        start = Barrier(AT_ONCE)

        def ask(number: int) -> Asker | Exception:
            start.wait(timeout=60)
            return self.ask(number % PROCESSES)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return self._let_through(list(pool.map(ask, range(AT_ONCE))))

    def _let_through(self, told: list[Asker | Exception]) -> Any:
        light, through = self.light, [each for each in told if isinstance(each, Asker)]
        if light.shows == UP:
            assert [each.passage.is_probe for each in through] == [False] * len(told)
        elif light.shows == SHUT:
            assert all(isinstance(each, CredentialsBlocked) for each in told)
        elif light.until > self.now:
            assert not through, f"{len(through)} asked before {light.until}"
            assert {each.until for each in told} == {self._asks_again()}
        else:
            assert [each.passage.is_probe for each in through] == [True], f"{len(through)} probes at once"
            light.shows, light.probe, light.until = TRYING, through[0], self.now + timedelta(seconds=120)
        return multiple(*through)

    def _asks_again(self) -> datetime:
        soon = self.now + timedelta(seconds=5)
        return min(self.light.until, soon) if self.light.shows == TRYING else self.light.until

    @rule(asker=askers)
    def it_is_answered(self, asker: Asker) -> None:
        """Also a refusal of a record is an answer."""
        was_clean = asker.is_clean
        with pytest.raises(RecordRefused):
            asker.passage.watch(self._raiser(RecordRefused("422", reason="http_422")))
        asker.is_clean = True
        if not was_clean and (self.light.shows == UP or self.light.probe is asker):
            self.light.go_up()
        self._forget(asker)

    @rule(asker=askers, times=st.integers(1, POLICY.failures))
    def it_fails(self, asker: Asker, times: int) -> None:
        for _ in range(times):
            self._fail(asker)

    def _fail(self, asker: Asker) -> None:
        light = self.light
        with pytest.raises(SystemUnavailable):
            asker.passage.watch(self._raiser(SystemUnavailable("503", sent=True)))
        asker.is_clean = False
        if light.probe is asker:
            light.go_down(self.now)
        elif light.shows == UP:
            light.failures += 1
            if light.failures >= POLICY.failures:
                light.go_down(self.now)
        self._forget(asker)

    @rule(asker=askers)
    def its_token_is_rejected(self, asker: Asker) -> None:
        with pytest.raises(TokenRejected):
            asker.passage.watch(self._raiser(TokenRejected("401")))
        self.light = Light(shows=SHUT)

    @rule(asker=consumes(askers))
    def it_ends(self, asker: Asker) -> None:
        asker.passage.__exit__(None, None, None)
        if self.light.probe is asker:
            self.light.shows, self.light.until, self.light.probe = DOWN, self.now, None

    @rule(asker=consumes(askers))
    def its_process_dies(self, asker: Asker) -> None:
        """It says nothing any more; if it was the probe, its lease says it."""

    @rule(process=processes)
    def a_person_has_it_tried(self, process: int) -> None:
        self.processes[process].retry(self.customer_id, self.now)
        if self.light.shows == DOWN:
            self.light.until = self.now

    @rule(process=processes)
    def a_person_verifies_the_token(self, process: int) -> None:
        was_blocked = self.processes[process].unblock(self.customer_id, System.DESTINATION)
        assert was_blocked == (self.light.shows == SHUT)
        self.light.go_up()

    def _forget(self, asker: Asker) -> None:
        """Once it has said something it is a probe no more."""
        if self.light.probe is asker:
            self.light.probe = None

    @staticmethod
    def _raiser(error: Exception) -> Callable[[], None]:
        def ask() -> None:
            raise error

        return ask

    def teardown(self) -> None:
        """Nothing is stored where all is well; else it is what the model says."""
        states = {UP: BreakerState.CLOSED, DOWN: BreakerState.OPEN, TRYING: BreakerState.HALF_OPEN,
                  SHUT: BreakerState.BLOCKED}  # fmt: skip
        for each in self.processes:
            found = each.of(self.customer_id)
            if self.light.shows == UP and not self.light.failures:
                assert found == {}
            else:
                assert found[System.DESTINATION].state is states[self.light.shows]


@pytest.fixture(params=["memory", "postgres"])
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[], tuple[str, list[Any]]]]:
    """A customer of its own for each story: emptying the tables would take longer than the story."""
    ids = (f"acme-{number}" for number in itertools.count(1))
    if request.param == "memory":
        yield lambda: (next(ids), [MemoryBreakers(POLICY)] * PROCESSES)
        return
    engine = request.getfixturevalue("engine")
    customers = PostgresCustomerStore(engine, ManualClock())

    def on_postgres() -> tuple[str, list[Any]]:
        customer_id = next(ids)
        customers.add(a_customer(customer_id))
        return customer_id, [PostgresBreakers(engine, POLICY, lambda: 0.0) for _ in range(PROCESSES)]

    yield on_postgres


def test_over_all_processes_exactly_one_probe_is_out_and_only_its_word_counts(start):
    try_out(lambda: Traffic(start), examples=30)
