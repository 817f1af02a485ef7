"""Customers and their tokens, brought in as `fleet customers add` does it: checked, tried, stored, polled at once."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from common.cli.bootstrap import open_parts
from common.cli.onboarding import onboard
from common.config.settings import load_settings
from common.domain.customers import LANE_OF_TIER, Customer, Tier
from common.storage.schema import upgrade
from deploy.demo.plan import SCAN_SETTINGS, VISIBILITY_SECONDS, DemoCustomer
from deploy.sandbox.client import Access


def bring_in(environment: Mapping[str, str], customers: Sequence[DemoCustomer], accesses: Sequence[Access]) -> None:
    """Bring the database to the newest schema, then add each customer with both tokens.

    Raises what the `fleet` command would show: CommandFailed or a SyncError.
    """
    with open_parts(load_settings(environment)) as parts:
        upgrade(parts.engine)
        for customer, access in zip(customers, accesses, strict=True):
            tokens = SecretStr(access.volunteer_token), SecretStr(access.crm_token)
            onboard(parts, customer_of(customer, access), *tokens)


class Newcomer(Protocol):
    """Somebody who is brought in, as plays describe them."""

    @property
    def name(self) -> str: ...
    @property
    def tier(self) -> Tier: ...
    @property
    def create(self) -> str:
        """How contacts are created: `batch` (an import) or `direct`."""


def customer_of(
    newcomer: Newcomer,
    access: Access,
    *,
    scan_settings: Mapping[str, int] = SCAN_SETTINGS,
    visibility_seconds: int = VISIBILITY_SECONDS,
) -> Customer:
    return Customer(
        customer_id=newcomer.name,
        name=newcomer.name.title(),
        tier=newcomer.tier,
        lane=LANE_OF_TIER[newcomer.tier],
        source_settings={"base_url": access.volunteer_base_url, **scan_settings},
        destination_settings={
            "base_url": access.crm_base_url,
            "create": newcomer.create,
            "visibility_seconds": visibility_seconds,
        },
    )
