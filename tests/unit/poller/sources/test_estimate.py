"""What a customer costs, as a table, and which way of reading participations is taken."""

from __future__ import annotations

import pytest

from poller.sources.volunteer.distance import Distance
from poller.sources.volunteer.estimate import Cost, Counts, estimate
from poller.sources.volunteer.plan import ScanPlan, Strategy
from poller.sources.volunteer.settings import VolunteerSettings

QUARTER = 900
SMALL = Counts(
    users=100, projects=10, active_projects=6, anytime_projects=2,
    dates={Distance.NEAR: 3, Distance.WEEK: 4, Distance.WINDOW: 5, Distance.PAST: 50, Distance.AHEAD: 7},
    organizations=2, campaigns=3, certificates=4, groups=5, members=60, forms=2, completions=45,
)  # fmt: skip


def estimated(counts=SMALL, *, poll_seconds=QUARTER, present=None, **settings):
    return estimate(counts, VolunteerSettings(**settings), poll_seconds=poll_seconds, present=present)


@pytest.mark.parametrize(
    ("resource", "per_day", "backfill"),
    [
        ("users", 96, 7),
        ("projects", 96, 1),
        ("organizations", 1, 1), ("campaigns", 1, 1), ("certificates", 1, 1),
        ("groups", 24, 1), ("forms", 24, 1),
        ("project_dates", 96 + 96 + 6 + 4 / 7, 11),  # today, its one date's project each time, active, idle
        ("group_members", 24 * 9, 9),  # 5 first pages and 4 full ones
        ("form_completions", 5 + 2 * 95, 5),
    ],
)  # fmt: skip
def test_what_a_resource_costs(resource, per_day, backfill):
    found = estimated().by_resource[resource]

    assert (found.per_day, found.backfill) == (pytest.approx(per_day), backfill)


@pytest.mark.parametrize(
    ("strategy", "per_day", "backfill"),
    [
        (Strategy.DATES, 3 * 96 + 4 * 4 + 5 + 100 / 7, 100 + 12 + 50),
        (Strategy.USERS, 3 * 96 + 9 / 7 + 100, 100 + 12),
    ],
)
def test_what_participations_cost_in_either_way(strategy, per_day, backfill):
    found = estimated().by_strategy[strategy]

    assert (found.per_day, found.backfill) == (pytest.approx(per_day), backfill)


def test_without_anytime_projects_no_users_detail_is_read_again():
    assert estimated(Counts(users=5_000)).by_strategy[Strategy.DATES] == Cost(per_day=0, backfill=5_000)


def test_nothing_is_read_more_often_than_the_customer_is_polled():
    hourly = estimated(poll_seconds=3_600)

    assert hourly.by_resource["users"].per_day == 24
    assert hourly.by_strategy[Strategy.DATES].per_day == pytest.approx(3 * 24 + 4 * 4 + 5 + 100 / 7)


FEW_USERS = Counts(users=50, dates={Distance.WEEK: 100, Distance.WINDOW: 400})
MANY_USERS = Counts(users=5_000, dates={Distance.WEEK: 10}, anytime_projects=1)
#: 800 a day by dates, 614 by users: cheaper, and not worth a change.
BALANCED = Counts(users=500, dates={Distance.WEEK: 200})


@pytest.mark.parametrize(
    ("counts", "setting", "present", "chosen"),
    [
        (FEW_USERS, "auto", None, Strategy.USERS),
        (FEW_USERS, "auto", Strategy.DATES, Strategy.USERS),
        (FEW_USERS, "dates", Strategy.USERS, Strategy.DATES),
        (MANY_USERS, "auto", None, Strategy.DATES),
        (MANY_USERS, "auto", Strategy.USERS, Strategy.DATES),
        (MANY_USERS, "users", Strategy.DATES, Strategy.USERS),
        (BALANCED, "auto", Strategy.DATES, Strategy.DATES),
        (BALANCED, "auto", Strategy.USERS, Strategy.USERS),
        (Counts(), "auto", None, Strategy.DATES),
        (Counts(), "auto", Strategy.USERS, Strategy.USERS),
    ],
)
def test_the_cheaper_way_is_taken_where_it_is_worth_the_change(counts, setting, present, chosen):
    assert estimated(counts, participations=setting, present=present).chosen is chosen


@pytest.mark.parametrize(
    ("counts", "needs"), [({}, False), ({"anytime_projects": 1}, True), ({"certificates": 1}, True)]
)
def test_the_plan_knows_whether_details_alone_show_something(counts, needs):
    assert estimated(Counts(**counts)).plan == ScanPlan(needs_details=needs)


def test_the_total_is_the_sum_of_the_resources_and_the_chosen_way():
    found = estimated(FEW_USERS)
    costs = [*found.by_resource.values(), found.by_strategy[Strategy.USERS]]

    assert found.total.per_day == pytest.approx(sum(cost.per_day for cost in costs))
    assert found.total.backfill == sum(cost.backfill for cost in costs)
    assert found.per_poll == pytest.approx(found.total.per_day / 96)
    assert found.backfill_hours(50) == pytest.approx(found.total.backfill / 3_000)


def test_a_setting_moves_the_figures():
    slow = estimated(near_seconds=3_600, details_seconds=86_400)

    assert slow.by_strategy[Strategy.DATES].per_day == pytest.approx(3 * 24 + 4 * 4 + 5 + 100)
