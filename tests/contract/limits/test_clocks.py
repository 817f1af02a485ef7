"""Budgets while clocks are wrong: any worker's time of day, by any amount; or the server's, by a step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.domain.errors import BudgetExhausted
from common.domain.limits import Share

HOUR = 3600


def refused(budget, policy, customer_id="acme"):
    try:
        budget.acquire(customer_id, policy, Share.LIVE)
    except BudgetExhausted as exhausted:
        return exhausted
    return None


def take_all(budget, policy, customer_id="acme"):
    return next((count for count in range(1000) if refused(budget, policy, customer_id)), 1000)


@pytest.mark.parametrize("error", [-3 * HOUR, -30, 30, 3 * HOUR])
def test_a_worker_whose_time_of_day_is_wrong_counts_like_the_others(world, a_policy, error):
    policy, wrong, right = a_policy(limit=10), world.worker(error), world.worker()
    world.advance(1)
    early = take_all(wrong, policy)
    world.advance(55)
    late = [take_all(wrong, policy), take_all(right, policy)]
    world.advance(7)

    assert (early, late) == (10, [0, 0])
    assert take_all(right, policy) == 10


def test_a_worker_with_a_wrong_time_of_day_is_told_a_moment_of_its_own(world, a_policy):
    policy, wrong = a_policy(limit=1), world.worker(5 * HOUR)
    wrong.acquire("acme", policy, Share.LIVE)
    wait = refused(wrong, policy).until - world.clocks[0].now()

    assert timedelta(seconds=60) <= wait <= timedelta(seconds=62.1)


@pytest.mark.parametrize("step", [-48 * HOUR, -HOUR, -61, -5, -1, 1, 5, 61, HOUR, 48 * HOUR])
def test_a_step_of_the_servers_clock_opens_no_budget_early(world, a_policy, step):
    policy, worker, other = a_policy(limit=10), world.worker(), world.worker()
    take_all(worker, policy)
    take_all(other, policy)
    world.advance(5)
    world.step_server(step)

    assert take_all(worker, policy) == 0
    world.advance(54)
    assert take_all(other, policy) == 0


@pytest.mark.parametrize("step", [-48 * HOUR, -HOUR, -61, -5, 5, 61, HOUR, 48 * HOUR])
def test_after_a_step_a_budget_is_closed_for_one_window_and_not_for_the_steps_length(world, a_policy, step):
    policy, worker = a_policy(limit=10), world.worker()
    take_all(worker, policy)
    world.step_server(step)
    until = refused(worker, policy).until
    world.advance(62.1)

    assert until - world.clocks[0].now() < timedelta(seconds=1)
    assert take_all(worker, policy) == 10


def test_a_step_that_one_process_sees_closes_the_budgets_of_all_customers_once(world, a_policy):
    policy, first, second = a_policy(limit=10), world.worker(), world.worker()
    take_all(first, policy)
    take_all(second, policy, "globex")
    world.step_server(HOUR)
    seen = take_all(first, policy)
    world.advance(1)
    at_once = take_all(second, policy, "globex")
    world.advance(62)

    assert (seen, at_once) == (0, 0)
    # The second process looked at its own clock long after the first: it must not close everything again.
    assert take_all(second, policy, "globex") == 10
    assert take_all(first, policy) == 10


def test_a_process_that_comes_after_a_step_keeps_to_what_was_seen_before(world, a_policy):
    policy, first = a_policy(limit=10), world.worker()
    take_all(first, policy)
    take_all(first, policy, "globex")
    world.step_server(HOUR)
    take_all(first, policy)
    newcomer = world.worker()

    assert take_all(newcomer, policy, "globex") == 0


def test_a_newcomer_alone_sees_that_the_clock_went_back_and_is_closed_for_one_window(world, a_policy):
    policy, gone = a_policy(limit=10), world.worker()
    take_all(gone, policy)
    world.step_server(-48 * HOUR)
    newcomer = world.worker()
    at_once = take_all(newcomer, policy)
    world.advance(59)
    early = take_all(newcomer, policy)
    world.advance(3.1)

    assert (at_once, early) == (0, 0)
    assert take_all(newcomer, policy) == 10


def test_the_sweep_sees_a_step_before_a_newcomer_takes_anything(world, a_policy):
    policy, sweeper = a_policy(limit=10), world.worker()
    take_all(sweeper, policy)
    sweeper.obey([])
    world.step_server(HOUR)
    sweeper.obey([])

    assert take_all(world.worker(), policy) == 0


def test_a_budget_that_was_not_used_before_a_step_is_closed_no_longer_than_the_others(world, a_policy):
    policy, worker = a_policy(limit=10), world.worker()
    take_all(worker, policy)
    take_all(worker, policy, "globex")
    world.step_server(HOUR)
    take_all(worker, policy)
    world.advance(62.1)

    assert take_all(worker, policy, "globex") == 10


def test_a_lost_mark_closes_and_does_not_open(world, a_policy):
    policy, worker = a_policy(limit=10), world.worker()
    take_all(worker, policy)
    world.step_server(HOUR)
    take_all(worker, policy)
    world.advance(63)
    taken = take_all(worker, policy)
    world.client.delete("budget_clock")

    assert (taken, take_all(worker, policy)) == (10, 0)


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_what_the_system_said_to_wait_survives_a_step(world, a_policy, step):
    policy, worker = a_policy(), world.worker()
    worker.acquire("acme", policy, Share.LIVE)
    worker.close("acme", policy, world.clocks[0].now() + timedelta(seconds=600))
    world.step_server(step)
    early = refused(worker, policy)
    world.advance(598)

    assert early
    assert refused(worker, policy)
    world.advance(3)
    assert not refused(worker, policy)


def test_after_a_step_a_system_that_reports_usage_is_probed_and_not_waited_for(world, a_policy):
    policy, worker = a_policy(limit=100, window_seconds=HOUR, reports_usage=True), world.worker()
    take_all(worker, policy)
    world.step_server(HOUR * 2)

    assert take_all(worker, policy) == 1  # the probe


def test_a_pause_of_the_worker_or_a_slow_answer_is_no_step(world, a_policy):
    policy, worker = a_policy(limit=10), world.worker()
    take_all(worker, policy)
    for pause in (0.1, 30, 86_400, 30 * 86_400):
        world.advance(pause)
        refused(worker, policy)

    assert world.client.get("budget_clock") is None


def test_a_wait_that_is_told_just_after_the_clock_was_set_back_is_kept(world, a_policy):
    """The request was under way when it was set: nobody has noticed, and all that is noted lies in the future."""
    policy, worker = a_policy(), world.worker()
    take_all(worker, policy)
    world.step_server(-HOUR)
    assert refused(worker, policy)
    world.step_server(-HOUR)
    worker.close("acme", policy, world.clocks[0].now() + timedelta(seconds=600))
    early = refused(worker, policy)
    world.advance(598)

    assert early
    assert refused(worker, policy)
    world.advance(3)
    assert not refused(worker, policy)


def test_steps_that_go_unseen_one_by_one_open_no_budget_early_together(world, a_policy):
    policy, worker = a_policy(limit=10), world.worker()
    take_all(worker, policy)
    for _ in range(6):
        world.advance(9)
        world.step_server(0.45)
        worker.obey([])
    world.advance(5.5)

    assert take_all(worker, policy) == 0
