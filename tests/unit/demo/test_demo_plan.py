"""The plan of a demonstration: what it promises to show is in it, and everybody who reads it accepts it."""

from datetime import UTC, datetime

import pytest

from common.config.settings import load_settings
from common.domain.customers import Tier, check_customer_id
from deploy.demo.onboarding import customer_of
from deploy.demo.plan import ENVIRONMENT, LARGEST_COUNT, TIGHT_REQUESTS_PER_HOUR, faults, opening_faults, plan_customers
from deploy.sandbox.client import Access
from deploy.sandbox.clock import ManualClock
from deploy.sandbox.faults import Faults
from deploy.sandbox.world import World
from processor.destinations.crm_plus.settings import read_settings

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def dozen():
    return plan_customers(12, seed=7)


def test_a_dozen_differs_in_size_tier_budget_and_habits(dozen):
    sizes = [customer.sandbox["users"] for customer in dozen]
    limits = [customer.sandbox["crm_requests_per_hour"] for customer in dozen]

    assert (min(sizes), max(sizes)) == (15, 120)
    assert {customer.tier for customer in dozen} == set(Tier)
    assert {customer.create for customer in dozen} == {"batch", "direct"}
    assert limits.count(TIGHT_REQUESTS_PER_HOUR) == 1
    assert len(set(limits)) >= 3
    assert {customer.sandbox.get("import_mode") for customer in dozen} >= {"delayed"}
    assert {customer.sandbox.get("error_shape") for customer in dozen} >= {"envelope", "flat"}


def test_a_smaller_demonstration_is_a_part_of_a_larger_one(dozen):
    assert plan_customers(3, seed=7) == dozen[:3]


def test_the_seed_decides():
    assert plan_customers(12, seed=7) == plan_customers(12, seed=7)
    assert plan_customers(40, seed=7) != plan_customers(40, seed=8)


def test_every_name_is_a_customer_id_of_its_own():
    names = [check_customer_id(customer.name) for customer in plan_customers(LARGEST_COUNT, seed=7)]

    assert len(set(names)) == LARGEST_COUNT


def test_the_sandbox_accepts_customers_and_faults(dozen):
    world = World(seed=7, clock=ManualClock(START))
    for customer in dozen:
        world.create_organization(customer.name, {**customer.sandbox, "users": 1})
    rules = Faults(world.generator("faults"))
    for rule in [*opening_faults(dozen), *faults(dozen)]:
        rules.add(rule, START)

    assert {rule["system"] for rule in rules.listing()} == {"volunteer", "crm"}


def test_the_product_accepts_environment_and_settings(dozen):
    assert load_settings(ENVIRONMENT).interval_seconds(Tier.PREMIUM) == 3
    for customer in dozen:
        access = Access(
            name=customer.name,
            volunteer_base_url="http://volunteer",
            volunteer_token="",
            crm_base_url="http://crm",
            crm_token="",
            users=0,
            canary="",
        )
        assert read_settings(customer_of(customer, access)).create == customer.create
