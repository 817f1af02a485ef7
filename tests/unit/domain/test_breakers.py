"""The breaker's machine: its whole table, and that no order of events lets two probes out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.builders import NOW, after

from common.domain.breakers import (
    CLOSED,
    Breaker,
    BreakerPolicy,
    BreakerState,
    admission,
    after_failure,
    after_return,
    after_success,
    blocked,
    effect_of,
    probing,
)
from common.domain.clock import ManualClock
from common.domain.customers import System
from common.domain.errors import (
    BacklogFull,
    BreakerOpen,
    BudgetExhausted,
    CredentialsBlocked,
    CustomerInvalid,
    LockLost,
    PageUnreadable,
    PermissionMissing,
    RateLimited,
    RecordInvalid,
    RecordRefused,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.storage.memory.breakers import MemoryBreakers

POLICY = BreakerPolicy(failures=3, first_seconds=30, cap_seconds=600, jitter_fraction=0.1, lease_seconds=120)
LEASE, OTHER = after(50), after(51)
FAILING = Breaker(failures=2, reason="503")
OPEN = Breaker(state=BreakerState.OPEN, failures=3, openings=1, reason="503", probe_at=after(30))
HALF = Breaker(state=BreakerState.HALF_OPEN, failures=3, openings=1, reason="503", probe_at=LEASE)
BLOCKED = blocked("401")


@pytest.mark.parametrize(
    ("breaker", "now", "told"),
    [
        (CLOSED, NOW, "pass"),
        (FAILING, NOW, "pass"),
        (OPEN, NOW, "wait"),
        (OPEN, after(29.9), "wait"),
        (OPEN, after(30), "probe"),
        (HALF, after(49.9), "wait"),
        (HALF, LEASE, "probe"),
        (BLOCKED, NOW, "blocked"),
        (BLOCKED, after(1e9), "blocked"),
    ],
)
def test_who_asks_is_told_whether_it_may(breaker, now, told):
    assert admission(breaker, now) == told


@pytest.mark.parametrize(
    ("breaker", "probe", "after_it"),
    [
        (FAILING, None, CLOSED),
        (HALF, LEASE, CLOSED),
        # What comes late says nothing of now.
        (HALF, None, HALF),
        (HALF, OTHER, HALF),
        (OPEN, None, OPEN),
        (OPEN, LEASE, OPEN),
        (BLOCKED, None, BLOCKED),
        (BLOCKED, LEASE, BLOCKED),
    ],
)
def test_only_a_passing_request_or_the_probe_that_is_out_closes(breaker, probe, after_it):
    assert after_success(breaker, probe) == after_it


@pytest.mark.parametrize(
    ("breaker", "probe", "state", "failures", "openings", "seconds"),
    [
        (CLOSED, None, "closed", 1, 0, None),
        (FAILING, None, "open", 3, 1, 30),
        (HALF, LEASE, "open", 3, 2, 60),
        (HALF, None, "half_open", 3, 1, 50),
        (OPEN, None, "open", 3, 1, 30),
        (BLOCKED, None, "blocked", 0, 0, None),
    ],
)
def test_failures_in_a_row_open_and_a_failed_probe_opens_for_longer(breaker, probe, state, failures, openings, seconds):
    found = after_failure(breaker, probe, reason="503", now=NOW, policy=POLICY, random_unit=0.0)

    assert (found.state, found.failures, found.openings) == (BreakerState(state), failures, openings)
    assert found.probe_at == (None if seconds is None else after(seconds))


@pytest.mark.parametrize(("openings", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 600), (40, 600)])
def test_each_opening_in_a_row_lasts_twice_as_long_up_to_the_cap(openings, seconds):
    assert POLICY.open_seconds(openings, 0.0) == seconds
    assert seconds < POLICY.open_seconds(openings, 0.999) < seconds * 1.1


def test_a_probe_that_asked_nothing_makes_way_for_the_next_at_once():
    returned = after_return(HALF, LEASE, NOW)

    assert (returned.state, returned.openings) == (BreakerState.OPEN, 1)
    assert admission(returned, NOW) == "probe"
    assert after_return(HALF, OTHER, NOW) == HALF
    assert after_return(BLOCKED, LEASE, NOW) == BLOCKED


def test_a_probe_is_lost_when_its_lease_is_over():
    out = probing(OPEN, after(30), POLICY)

    assert admission(out, after(149)) == "wait"
    assert admission(out, after(150)) == "probe"


@pytest.mark.parametrize(
    ("error", "effect"),
    [
        (SystemUnavailable("503", sent=True), "failed"),
        (SystemUnavailable("refused", sent=False), "failed"),
        (UnknownOutcome("no answer"), "failed"),
        (TokenRejected("401"), "rejected"),
        (PermissionMissing("403"), "rejected"),
        (CredentialsBlocked("blocked"), "rejected"),
        (RecordRefused("422", reason="http_422"), "answered"),
        (RateLimited("429", until=NOW), "answered"),
        (BudgetExhausted("ours", until=NOW), "nothing"),
        (BreakerOpen("open", until=NOW), "nothing"),
        (BacklogFull("full", until=NOW), "nothing"),
        (PageUnreadable("html"), "nothing"),
        (RecordInvalid("acme", "users", "email", "mend"), "nothing"),
        (CustomerInvalid("acme", "token", "mend"), "nothing"),
        (LockLost("gone"), "nothing"),
        (ZeroDivisionError("ours"), "nothing"),
    ],
)
def test_an_error_says_one_thing_of_the_system(error, effect):
    assert effect_of(error) == effect


class Breaking(RuleBasedStateMachine):
    """Any order of asking, succeeding, failing, dying, being rejected and verified, over time."""

    @initialize()
    def start(self):
        self.clock = ManualClock(NOW)
        self.breakers = MemoryBreakers(POLICY)
        self.out: list[object] = []
        self.failures = 0
        self.is_blocked = False
        self.opened_until = None

    @rule()
    def ask(self):
        now = self.clock.now()
        before = self.state()
        try:
            permit = self.breakers.admit("acme", System.SOURCE, now)
        except BreakerOpen as wait:
            assert wait.until > now  # noqa: PT017 - one of several ways out
            assert before.state in (BreakerState.OPEN, BreakerState.HALF_OPEN)
            return
        except CredentialsBlocked:
            assert self.is_blocked
            return
        assert not self.is_blocked
        if permit.probe is not None:
            assert before.probe_at <= now
            # A probe that is still out may have only this one after it if its lease is over.
            assert all(other.probe is None or other.probe <= now for other in self.out)
        else:
            assert before.state is BreakerState.CLOSED
        self.out.append(permit)

    @rule(seconds=st.sampled_from([1, 29, 30, 60, 121, 700]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule(data=st.data())
    def succeed(self, data):
        if self.out:
            permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
            if not permit.clean:
                self.breakers.succeeded(permit, self.clock.now())

    @rule(data=st.data())
    def fail(self, data):
        if self.out:
            permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
            found = self.breakers.failed(permit, "503", self.clock.now())
            assert found.state is not BreakerState.CLOSED or 0 < found.failures < POLICY.failures

    @rule(data=st.data())
    def give_back(self, data):
        if self.out:
            self.breakers.returned(
                self.out.pop(data.draw(st.integers(0, len(self.out) - 1))), self.clock.now()
            )  # fmt: skip

    @rule()
    def reject(self):
        self.breakers.block("acme", System.SOURCE, "401", self.clock.now())
        self.is_blocked = True

    @rule()
    def verify(self):
        assert self.breakers.unblock("acme", System.SOURCE) == self.is_blocked
        self.is_blocked = False

    @invariant()
    def blocked_is_ended_by_a_verification_only(self):
        if hasattr(self, "breakers"):
            assert (self.state().state is BreakerState.BLOCKED) == self.is_blocked

    @invariant()
    def it_is_never_open_for_longer_than_the_cap(self):
        if hasattr(self, "breakers") and self.state().state is BreakerState.OPEN:
            assert self.state().probe_at <= self.clock.now() + timedelta(seconds=POLICY.cap_seconds)

    def state(self):
        return self.breakers.of("acme").get(System.SOURCE, CLOSED)


Breaking.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestNoOrderOfEventsBreaksTheRules = Breaking.TestCase
