"""How each lane keeps up with what it is promised."""

from __future__ import annotations

from common.cli.lanes import standings_of_lanes
from common.cli.standing import Standing
from common.domain.customers import Lane
from common.domain.lanes import LANE_TERMS

HOT = dict.fromkeys(Lane, 0)


def a_standing(customer_id="acme", lane=Lane.PRIORITY, state="active", oldest=None, queue_depth=0):
    return Standing(
        customer_id=customer_id, tier="premium", lane=lane, state=state, why="", parked_until=None, checkpoint=None,
        checkpoint_age_seconds=None, last_run_at=None, last_run_age_seconds=None, pending=2, submitted=0,
        oldest_pending_age_seconds=oldest, queue_depth=queue_depth, dead_letters=0,
    )  # fmt: skip


def of(lane, rows):
    return next(row for row in rows if row.lane is lane)


def test_every_lane_has_a_line_and_sums_its_own_customers_only():
    rows = standings_of_lanes([a_standing("a", queue_depth=1), a_standing("b", Lane.STANDARD, queue_depth=5)], HOT)

    assert [row.lane for row in rows] == list(Lane)
    priority = of(Lane.PRIORITY, rows)
    assert (priority.customers, priority.pending, priority.queued) == (1, 2, 1)
    assert of(Lane.BACKGROUND, rows).within_sla


def test_a_lane_whose_oldest_event_is_older_than_promised_does_not_keep_its_promise():
    late = LANE_TERMS[Lane.PRIORITY].sla_seconds + 1

    assert not of(Lane.PRIORITY, standings_of_lanes([a_standing(oldest=late)], HOT)).within_sla
    assert of(Lane.PRIORITY, standings_of_lanes([a_standing(oldest=late - 2)], HOT)).within_sla


def test_who_is_parked_or_paused_breaks_no_promise():
    rows = standings_of_lanes(
        [a_standing("a", state="parked", oldest=1e6), a_standing("b", state="paused", oldest=1e6)], HOT
    )

    assert of(Lane.PRIORITY, rows).within_sla
    assert (of(Lane.PRIORITY, rows).parked, of(Lane.PRIORITY, rows).paused) == (1, 1)


def test_without_redis_the_depths_are_unknown_and_the_rest_is_told():
    row = of(Lane.PRIORITY, standings_of_lanes([a_standing()], None))

    assert (row.queued, row.hot, row.customers) == (None, None, 1)


def test_more_important_lanes_weigh_more_and_wait_less():
    weights = [LANE_TERMS[lane].weight for lane in Lane]
    assert weights == sorted(weights, reverse=True)
    assert [LANE_TERMS[lane].sla_seconds for lane in Lane] == sorted(LANE_TERMS[lane].sla_seconds for lane in Lane)
