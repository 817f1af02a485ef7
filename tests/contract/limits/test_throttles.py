"""A throttle slows all customers of a system at the very next request, and ends as fast."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOW

from common.domain.customers import Lane
from common.domain.errors import BudgetExhausted
from common.domain.limits import RateHints, Share
from common.domain.throttles import Throttle


def a_throttle(fraction, *, system="volunteer", lane=None):
    return Throttle(system=system, lane=lane, fraction=fraction, actor="ops", set_at=NOW)


@pytest.fixture
def volunteer(a_policy):
    return a_policy(system="volunteer", limit=100, lane=Lane.STANDARD)


def take_all(budget, policy, customer_id="acme", share=Share.LIVE):
    for count in range(1000):
        if refused(budget, policy, customer_id, share):
            return count
    return 1000


def refused(budget, policy, customer_id="acme", share=Share.LIVE):
    try:
        budget.acquire(customer_id, policy, share)
    except BudgetExhausted as exhausted:
        return exhausted
    return None


def wait_seconds(world, exhausted):
    return (exhausted.until - world.clocks[0].now()).total_seconds()


def test_a_throttle_holds_for_every_customer_of_its_system_and_for_no_other(budget, volunteer, a_policy):
    budget.obey([a_throttle(0.5)])

    assert [take_all(budget, volunteer, name) for name in ("acme", "globex")] == [50, 50]
    assert take_all(budget, a_policy(system="crm_plus", limit=100)) == 100


def test_a_throttle_and_its_end_are_felt_by_the_next_request(budget, volunteer):
    for _ in range(30):
        budget.acquire("acme", volunteer, Share.LIVE)
    budget.obey([a_throttle(0.3)])
    stopped = refused(budget, volunteer)
    budget.obey([])

    assert stopped
    assert take_all(budget, volunteer) == 70


def test_throttles_of_all_lanes_and_of_one_multiply_with_the_share(budget, volunteer):
    budget.obey([a_throttle(0.5), a_throttle(0.5, lane=Lane.STANDARD), a_throttle(0.1, lane=Lane.PRIORITY)])

    assert take_all(budget, volunteer, share=Share.BACKFILL) == 20
    assert take_all(budget, volunteer, share=Share.LIVE) == 5


def test_a_throttle_of_one_lane_leaves_the_others_alone(budget, volunteer, a_policy):
    budget.obey([a_throttle(0.1, lane=Lane.BACKGROUND)])

    assert take_all(budget, volunteer) == 100
    assert take_all(budget, a_policy(system="volunteer", limit=100), "globex") == 100


def test_a_part_of_a_limit_is_cut_at_whole_requests_without_losing_one_to_arithmetic(budget, volunteer):
    budget.obey([a_throttle(0.29)])

    assert take_all(budget, volunteer) == 29


def test_however_small_the_part_one_request_passes_unless_it_is_nothing(budget, a_policy):
    policy = a_policy(system="volunteer", limit=3)
    budget.obey([a_throttle(0.01)])
    one = take_all(budget, policy)
    budget.obey([a_throttle(0.0)])

    assert one == 1
    assert take_all(budget, policy, "globex") == 0


def test_a_limit_that_answers_tell_is_throttled_too(budget, volunteer):
    budget.learn("acme", volunteer, RateHints(limit=50))
    budget.obey([a_throttle(0.5)])

    assert take_all(budget, volunteer) == 20


@pytest.mark.parametrize("fraction", [0.0, 0.5])
def test_whoever_waits_for_a_throttle_alone_asks_again_within_a_minute(world, a_policy, fraction):
    budget, policy = world.worker(), a_policy(system="volunteer", limit=100, window_seconds=3600)
    budget.obey([a_throttle(fraction)])
    take_all(budget, policy)

    assert wait_seconds(world, refused(budget, policy)) == pytest.approx(60, abs=0.01)


def test_whoever_has_used_up_the_limit_itself_waits_for_it_whatever_the_throttle(world, a_policy):
    budget, policy = world.worker(), a_policy(system="volunteer", limit=100, window_seconds=3600)
    take_all(budget, policy)
    budget.obey([a_throttle(0.5)])

    assert wait_seconds(world, refused(budget, policy)) > 3600


def test_a_stopped_system_is_not_even_probed(world, a_policy):
    budget, policy = world.worker(), a_policy(system="volunteer", reports_usage=True)
    budget.acquire("acme", policy, Share.LIVE)
    world.forget()
    budget.obey([a_throttle(0.0)])

    assert refused(budget, policy)


def test_the_last_word_on_a_system_and_lane_holds_and_all_words_are_kept_in_order(throttles):
    for fraction, system, lane in [(0.5, "volunteer", None), (0.2, "crm_plus", Lane.PRIORITY), (0.1, "crm_plus", None)]:
        throttles.set(a_throttle(fraction, system=system, lane=lane))
    lifted = Throttle(
        system="volunteer", fraction=1.0, reason="quiet now", actor="ada", set_at=NOW + timedelta(hours=1)
    )
    throttles.set(lifted)

    assert throttles.all() == [
        a_throttle(0.1, system="crm_plus"), a_throttle(0.2, system="crm_plus", lane=Lane.PRIORITY), lifted,
    ]  # fmt: skip


def test_what_is_told_is_what_the_table_holds(throttles, budget, volunteer):
    throttles.set(a_throttle(0.5))
    throttles.tell(budget.obey)

    assert take_all(budget, volunteer) == 50
