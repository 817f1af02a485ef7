"""Customers of the stand-in APIs, for `fleet up --sandbox`: of several tiers and sizes, polled often enough to watch.

The sandbox keeps everything in memory, so what an earlier one held is gone: its customers are paused, not reused,
for their links lead to contacts that exist no more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pydantic import SecretStr

from common.cli.bootstrap import Parts
from common.cli.onboarding import onboard
from common.cli.options import operator
from common.domain.customers import LANE_OF_TIER, Customer, Tier
from deploy.sandbox.client import Access, SandboxAdmin

#: Marks customers of a sandbox.
REGION = "sandbox"
#: Users by turn: from a small charity to one of several pages.
SIZES = (60, 40, 25, 15)
#: In seconds; the tiers' real ones are minutes, too long to watch.
POLL_SECONDS = {Tier.PREMIUM: 5, Tier.STANDARD: 10, Tier.BASIC: 20}
#: Its limit, told in its headers: with the hundred that VOMO is taken to allow, a first reading would take minutes.
REQUESTS_PER_MINUTE = 1000
#: What is read scope by scope is read this often; in seconds. The real periods are minutes, hours and days.
PACE = {
    "near_seconds": 20, "week_seconds": 30, "window_seconds": 30, "today_seconds": 20, "project_seconds": 60,
    "idle_project_seconds": 120, "forms_seconds": 60, "completions_seconds": 20, "groups_seconds": 30,
    "members_seconds": 30, "lists_seconds": 120, "user_seconds": 120, "details_seconds": 120,
}  # fmt: skip
#: The stand-in's look-ups show a change at once; the real ones may lag half a minute.
VISIBILITY_SECONDS = 1.0
ENDED = "its sandbox has ended, and its data with it"


def add_sandbox_customers(parts: Parts, sandbox_url: str, count: int) -> list[str]:
    """Create the accounts at a fresh sandbox and onboard them. Returns their ids."""
    _retire_earlier(parts)
    ids = list(itertools.islice(_free_ids(parts), count))
    limit = {"volunteer_requests_per_minute": REQUESTS_PER_MINUTE}
    requests = [{"name": name, "users": size, **limit} for name, size in zip(ids, itertools.cycle(SIZES), strict=False)]
    with SandboxAdmin(sandbox_url) as admin:
        accesses = admin.create_organizations(*requests) if requests else []
        for access in accesses:
            admin.create_tags(access.name)
    for access, tier in zip(accesses, itertools.cycle(Tier), strict=False):
        onboard(parts, _customer(access, tier), SecretStr(access.volunteer_token), SecretStr(access.crm_token))
    return ids


def _retire_earlier(parts: Parts) -> None:
    for customer in parts.customers.all():
        if customer.region == REGION and customer.is_active:
            parts.customers.pause(customer.customer_id, ENDED)
            parts.customers.note(customer.customer_id, actor=operator(), action="customer.paused", detail=ENDED)


def _free_ids(parts: Parts) -> Iterator[str]:
    taken = {customer.customer_id for customer in parts.customers.all()}
    names = (f"charity-{number:02d}" for number in itertools.count(1))
    return (name for name in names if name not in taken)


def _customer(access: Access, tier: Tier) -> Customer:
    return Customer(
        customer_id=access.name,
        name=access.name.replace("-", " ").title(),
        tier=tier,
        lane=LANE_OF_TIER[tier],
        region=REGION,
        poll_interval_seconds=POLL_SECONDS[tier],
        source_settings={"base_url": access.volunteer_base_url, **PACE},
        destination_settings={"base_url": access.crm_base_url, "visibility_seconds": VISIBILITY_SECONDS},
    )
