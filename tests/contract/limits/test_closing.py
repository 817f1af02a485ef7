"""After a 429 nobody asks for that customer until the system said so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.domain.errors import BudgetExhausted
from common.domain.limits import RateHints, Share


def refused(budget, policy, customer_id="acme"):
    try:
        budget.acquire(customer_id, policy, Share.LIVE)
    except BudgetExhausted as exhausted:
        return exhausted
    return None


@pytest.fixture
def two(world):
    """Two workers' budgets."""
    return world.worker(), world.worker()


def test_a_wait_that_one_worker_was_told_holds_for_all_until_its_end(world, two, a_policy):
    first, second = two
    until = world.clocks[0].now() + timedelta(seconds=600)
    first.close("acme", a_policy(), until)

    before, others = refused(second, a_policy()), refused(second, a_policy(), "globex")
    world.advance(599.9)
    just_before = refused(first, a_policy())
    world.advance(0.2)

    assert abs(before.until - until) < timedelta(milliseconds=2)
    assert not others
    assert just_before
    assert not refused(second, a_policy())


def test_a_shorter_wait_told_later_does_not_end_a_longer_one(world, two, a_policy):
    first, second = two
    first.close("acme", a_policy(), world.clocks[0].now() + timedelta(seconds=600))
    second.close("acme", a_policy(), world.clocks[0].now() + timedelta(seconds=5))
    world.advance(10)

    assert refused(first, a_policy())


def test_an_absurd_wait_is_a_day(world, two, a_policy):
    two[0].close("acme", a_policy(), world.clocks[0].now() + timedelta(days=4000))
    world.advance(86_401)

    assert not refused(two[1], a_policy())


def test_a_wait_that_is_over_closes_nothing(world, two, a_policy):
    two[0].close("acme", a_policy(), world.clocks[0].now() - timedelta(days=1))

    assert not refused(two[1], a_policy())


def test_no_probe_is_sent_while_the_system_said_to_wait(world, two, a_policy):
    policy = a_policy(reports_usage=True)
    assert not refused(two[0], policy)
    world.forget()
    two[0].close("acme", policy, world.clocks[0].now() + timedelta(seconds=30))

    assert refused(two[1], policy)
    world.advance(31)
    assert not refused(two[1], policy)


def test_a_system_that_says_to_wait_keeps_its_count(world, two, a_policy):
    policy = a_policy(limit=3, window_seconds=60, use_fraction=1.0, reports_usage=True)
    for _ in range(3):
        two[0].acquire("acme", policy, Share.LIVE)
    two[0].close("acme", policy, world.clocks[0].now() + timedelta(seconds=5))
    two[0].learn("acme", policy, RateHints(limit=3, remaining=3))
    world.advance(6)

    assert refused(two[1], policy)


@pytest.mark.parametrize("told_first", ["learn", "close"])
def test_what_answers_told_after_redis_forgot_does_not_pass_for_a_count(world, two, a_policy, told_first):
    """An answer that was under way when Redis was flushed must not open the budget."""
    policy = a_policy(limit=10)
    for _ in range(10):
        two[0].acquire("acme", policy, Share.LIVE)
    world.forget()
    if told_first == "learn":
        two[0].learn("acme", policy, RateHints(limit=100))
    else:
        two[0].close("acme", policy, world.clocks[0].now() + timedelta(milliseconds=1))
        world.advance(0.01)

    assert refused(two[1], policy)


def test_every_budget_is_closed_until_the_moment_told(budget, a_policy):
    clock = budget._clock
    budget.close("acme", a_policy(), clock.now() + timedelta(seconds=600))

    assert abs(refused(budget, a_policy()).until - clock.now() - timedelta(seconds=600)) < timedelta(seconds=2)
    assert not refused(budget, a_policy(), "globex")
