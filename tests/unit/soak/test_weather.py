"""A soak's faults: mild, of both systems, and the same for the same seed."""

from __future__ import annotations

from random import Random

from soak.story import Plan, customers_of
from soak.weather import BETWEEN_SECONDS, outages, standing_rules

from deploy.sandbox.clock import SystemClock
from deploy.sandbox.faults import Faults

HOUR = 3600.0


def test_outages_follow_the_seed_and_fill_the_time():
    first, again, other = (list(outages(["acme", "brook"], seconds=HOUR, seed=seed)) for seed in (1, 1, 2))

    assert first == again != other
    assert HOUR / BETWEEN_SECONDS[1] - 1 <= len(first) <= HOUR / BETWEEN_SECONDS[0]
    assert {each.organization for each in first} == {"acme", "brook"}
    assert [each.at for each in first] == sorted(each.at for each in first)


def test_every_rule_is_one_that_the_sandbox_knows():
    faults, now = Faults(Random(1)), SystemClock().now()

    for rule in [*standing_rules(), next(outages(["acme"], seconds=HOUR, seed=1)).rule]:
        faults.add(rule, now)

    assert sum(rule["rate"] for rule in standing_rules() if rule["system"] == "crm") < 0.1


def test_no_budget_is_what_a_soak_waits_for():
    plan = Plan(seconds=HOUR, every_seconds=5, customers=3, edits_per_second=2, seed=7)

    assert all(each.sandbox["crm_requests_per_hour"] >= 1_000_000 for each in customers_of(plan))
