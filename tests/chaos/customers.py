"""Who is attacked, and with which cadences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from common.cli.bootstrap import Parts
from common.cli.onboarding import onboard
from common.domain.customers import Tier
from deploy.demo.onboarding import customer_of
from deploy.sandbox.client import Access

#: Requests a minute at a source: the fleet's own limit and the sandbox's, so that the auditor judges the fleet's.
SOURCE_REQUESTS_PER_MINUTE = 6_000
#: Seconds where production has minutes.
ENVIRONMENT: Mapping[str, str] = {
    "FLEET_PREMIUM_INTERVAL_SECONDS": "1",
    "FLEET_STANDARD_INTERVAL_SECONDS": "2",
    "FLEET_BASIC_INTERVAL_SECONDS": "3",
    "FLEET_POLL_OVERLAP_SECONDS": "3",
    "FLEET_SWEEP_SECONDS": "0.5",
    "FLEET_LINGER_SECONDS": "0.2",
    "FLEET_BACKFILL_LINGER_SECONDS": "0.5",
    "FLEET_ABSENCE_SECONDS": "3",
    "FLEET_HTTP_DEADLINE_SECONDS": "2",
    "FLEET_BREAKER_SECONDS": "1",
    "FLEET_VOLUNTEER_REQUESTS_PER_MINUTE": str(SOURCE_REQUESTS_PER_MINUTE),
    "FLEET_CRM_REQUESTS_PER_HOUR": "1000000",
}
LANES = ("priority", "standard", "background")
#: Periods of what is read scope by scope, in seconds.
SCAN_SETTINGS: Mapping[str, int] = {
    "near_seconds": 8, "week_seconds": 8, "window_seconds": 8, "today_seconds": 8, "project_seconds": 8,
    "idle_project_seconds": 10, "forms_seconds": 10, "completions_seconds": 8, "groups_seconds": 8,
    "members_seconds": 8, "lists_seconds": 10, "user_seconds": 10, "details_seconds": 10,
}  # fmt: skip
#: How long the product allows a created contact to stay invisible; the sandbox's lag is below it. In seconds.
VISIBILITY_SECONDS = 1
LAG_SECONDS = 0.5
GENEROUS = {"volunteer_requests_per_minute": SOURCE_REQUESTS_PER_MINUTE, "crm_requests_per_hour": 1_000_000}
#: Entities that are edited as fast as the sandbox can, all of one customer.
HOT_ENTITIES = 50
HOT, DEEP = "hot", "deep"


@dataclass(frozen=True, kw_only=True)
class ChaosCustomer:
    name: str
    users: int
    tier: Tier = Tier.PREMIUM
    #: How contacts are created: `batch` (an import) or `direct`.
    create: str = "batch"
    #: Settings of its organization in the sandbox.
    sandbox: Mapping[str, Any] = field(default_factory=dict)


#: Two styles of source (ids, links and times spelled differently), two ways to create contacts, all tiers.
OTHERS: Sequence[ChaosCustomer] = (
    ChaosCustomer(
        name="plain",
        users=8,
        sandbox={"id_style": "int", "next_style": "null", "timestamp_style": "zulu", "error_shape": "envelope"},
    ),
    ChaosCustomer(
        name="odd",
        users=10,
        tier=Tier.STANDARD,
        create="direct",
        sandbox={
            "id_style": "string", "next_style": "text", "timestamp_style": "mixed", "error_shape": "flat",
            "index_lag_seconds": LAG_SECONDS, "refusal_status": 422,
        },
    ),
    ChaosCustomer(
        name="slow",
        users=10,
        tier=Tier.BASIC,
        sandbox={"import_mode": "delayed", "import_delay_seconds": 1.0, "error_shape": "flat"},
    ),
)  # fmt: skip
CUSTOMERS: Sequence[ChaosCustomer] = (
    ChaosCustomer(name=HOT, users=HOT_ENTITIES),
    ChaosCustomer(name=DEEP, users=1),
    *OTHERS,
)


def organization(customer: ChaosCustomer) -> Mapping[str, Any]:
    """As the sandbox takes it. Modules and bulk endpoints are fixed, so that one seed's game is another's."""
    return {
        "name": customer.name, "users": customer.users, "volunteer_module": True, "bulk_endpoints": True,
        "import_mode": "at_once", **GENEROUS, **customer.sandbox,
    }  # fmt: skip


def bring_in(parts: Parts, customer: ChaosCustomer, access: Access) -> None:
    """As `fleet customers add` does."""
    joining = customer_of(customer, access, scan_settings=SCAN_SETTINGS, visibility_seconds=VISIBILITY_SECONDS)
    onboard(parts, joining, SecretStr(access.volunteer_token), SecretStr(access.crm_token))
