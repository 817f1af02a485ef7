"""What every budget promises, wherever it counts."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from common.domain.errors import BudgetExhausted
from common.domain.limits import RateHints, Share


def take(budget, policy, *, customer_id="acme", share=Share.LIVE):
    """True if one request could be taken."""
    try:
        budget.acquire(customer_id, policy, share)
    except BudgetExhausted:
        return False
    return True


def take_all(budget, policy, **more):
    """How many could be taken at once; gives up far above every limit used here."""
    return next((count for count in range(1000) if not take(budget, policy, **more)), 1000)


def test_a_customers_first_use_opens_its_budget_and_the_limit_is_not_exceeded(budget, a_policy):
    assert take_all(budget, a_policy(limit=10)) == 10


def test_an_exhausted_budget_says_from_when_one_may_be_free(budget, a_policy):
    policy = a_policy(limit=1, window_seconds=60)
    budget.acquire("acme", policy, Share.LIVE)

    with pytest.raises(BudgetExhausted, match="acme") as raised:
        budget.acquire("acme", policy, Share.LIVE)

    assert raised.value.until.tzinfo is not None


def test_backfill_leaves_room_for_live_changes(budget, a_policy):
    policy = a_policy(limit=10)

    assert take_all(budget, policy, share=Share.BACKFILL) == 8
    assert take_all(budget, policy, share=Share.LIVE) == 2


def test_live_changes_may_use_what_backfill_left_and_then_backfill_gets_nothing(budget, a_policy):
    policy = a_policy(limit=10)

    assert take_all(budget, policy, share=Share.LIVE) == 10
    assert take_all(budget, policy, share=Share.BACKFILL) == 0


def test_even_a_limit_of_one_lets_backfill_through_sometimes(budget, a_policy):
    assert take_all(budget, a_policy(limit=1), share=Share.BACKFILL) == 1


def test_customers_do_not_share_a_budget(budget, a_policy):
    take_all(budget, a_policy())

    assert take_all(budget, a_policy(), customer_id="globex") == 10


def test_systems_do_not_share_a_budget(budget, a_policy):
    take_all(budget, a_policy(system="volunteer"))

    assert take_all(budget, a_policy(system="crm_plus")) == 10


def test_four_fifths_of_a_limit_that_answers_tell_is_adopted(budget, a_policy):
    policy = a_policy(limit=1000)
    budget.acquire("acme", policy, Share.LIVE)
    budget.learn("acme", policy, RateHints(limit=20))

    assert 1 + take_all(budget, policy) == 16


def test_a_lowered_limit_counts_for_requests_made_before(budget, a_policy):
    policy = a_policy(limit=100)
    for _ in range(12):
        budget.acquire("acme", policy, Share.LIVE)
    budget.learn("acme", policy, RateHints(limit=10))

    assert take_all(budget, policy) == 0


def test_a_learned_limit_is_the_customers_own(budget, a_policy):
    policy = a_policy(limit=10)
    budget.learn("acme", policy, RateHints(limit=5))

    assert take_all(budget, policy, customer_id="globex") == 10


def test_answers_that_say_nothing_change_nothing(budget, a_policy):
    policy = a_policy(limit=10)
    budget.acquire("acme", policy, Share.LIVE)
    budget.learn("acme", policy, RateHints())

    assert 1 + take_all(budget, policy) == 10


def test_what_remains_does_not_open_a_budget_that_has_a_count_of_its_own(budget, a_policy):
    policy = a_policy(limit=10, use_fraction=1.0)
    taken = take_all(budget, policy)
    budget.learn("acme", policy, RateHints(limit=10, remaining=10))

    assert (taken, take_all(budget, policy)) == (10, 0)


def test_a_forgotten_count_starts_closed(counted, a_policy):
    policy = a_policy(limit=10, window_seconds=60)
    take_all(counted.budget, policy)
    counted.forget()

    before = datetime.now(tz=UTC)
    with pytest.raises(BudgetExhausted) as raised:
        counted.budget.acquire("acme", policy, Share.LIVE)

    assert 60 <= (raised.value.until - before).total_seconds() < 65


def test_a_forgotten_count_of_one_customer_does_not_close_a_new_ones(counted, a_policy):
    take_all(counted.budget, a_policy())
    counted.forget()

    assert take_all(counted.budget, a_policy(), customer_id="globex") == 10


def test_a_system_that_reports_usage_may_be_probed_once_and_then_knows(counted, a_policy):
    policy = a_policy(limit=100, reports_usage=True, use_fraction=1.0)
    take_all(counted.budget, policy)
    counted.forget()

    probes = take_all(counted.budget, policy)
    counted.budget.learn("acme", policy, RateHints(limit=100, remaining=30))

    assert probes == 1
    assert take_all(counted.budget, policy) == 30


def test_a_budget_that_is_closed_after_forgetting_opens_once_a_window_has_passed(counted, a_policy):
    policy = a_policy(limit=3, window_seconds=1)
    take_all(counted.budget, policy)
    counted.forget()

    with pytest.raises(BudgetExhausted) as raised:
        counted.budget.acquire("acme", policy, Share.LIVE)
    opened_at = wait_for_room(counted.budget, policy)

    assert opened_at >= raised.value.until.timestamp() - 0.005


def test_the_moment_told_is_one_at_which_a_request_is_free(counted, a_policy):
    policy = a_policy(limit=2, window_seconds=1)
    take_all(counted.budget, policy)

    with pytest.raises(BudgetExhausted) as raised:
        counted.budget.acquire("acme", policy, Share.LIVE)

    assert raised.value.until.timestamp() - 0.005 <= wait_for_room(counted.budget, policy)
    assert wait_for_room(counted.budget, policy) < raised.value.until.timestamp() + 3


def wait_for_room(budget, policy):
    """When a request was free, in unix seconds; asks until then."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if take(budget, policy):
            return time.time()
    raise AssertionError("the budget never opened")
