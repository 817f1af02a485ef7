"""Customers and their tokens, brought in as `fleet customers add` does it: checked, tried, stored, polled at once."""

from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from common.cli.bootstrap import open_parts
from common.cli.onboarding import onboard
from common.config.settings import load_settings
from common.domain.customers import LANE_OF_TIER, Customer
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


def customer_of(customer: DemoCustomer, access: Access) -> Customer:
    return Customer(
        customer_id=customer.name,
        name=customer.name.title(),
        tier=customer.tier,
        lane=LANE_OF_TIER[customer.tier],
        source_settings={"base_url": access.volunteer_base_url, **SCAN_SETTINGS},
        destination_settings={
            "base_url": access.crm_base_url,
            "create": customer.create,
            "visibility_seconds": VISIBILITY_SECONDS,
        },
    )
