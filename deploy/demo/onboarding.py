"""Customers and their tokens, as an operator brings them in: through the product's own code."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pydantic import SecretStr
from sqlalchemy import Engine

from common.config.settings import Settings, load_settings
from common.credentials.master_key import load_master_key
from common.credentials.vault import Vault
from common.domain.clock import SystemClock
from common.domain.customers import LANE_OF_TIER, Customer, System
from common.storage.customers import PostgresCustomerStore
from common.storage.engine import make_engine
from common.storage.keys import PostgresKeyStore
from common.storage.schema import upgrade
from deploy.demo.plan import VISIBILITY_SECONDS, DemoCustomer
from deploy.sandbox.client import Access


def onboard(environment: Mapping[str, str], customers: Sequence[DemoCustomer], accesses: Sequence[Access]) -> None:
    """Bring the database to the newest schema, then add each customer with both tokens."""
    settings = load_settings(environment)
    with _engine(settings) as engine:
        upgrade(engine)
        clock = SystemClock()
        store = PostgresCustomerStore(engine, clock)
        vault = Vault(load_master_key(settings.master_key, settings.state_dir), PostgresKeyStore(engine), clock)
        for customer, access in zip(customers, accesses, strict=True):
            store.add(_customer(customer, access))
            vault.put(customer.name, System.SOURCE, SecretStr(access.volunteer_token))
            vault.put(customer.name, System.DESTINATION, SecretStr(access.crm_token))


def _customer(customer: DemoCustomer, access: Access) -> Customer:
    return Customer(
        customer_id=customer.name,
        name=customer.name.title(),
        tier=customer.tier,
        lane=LANE_OF_TIER[customer.tier],
        source_settings={"base_url": access.volunteer_base_url},
        destination_settings={
            "base_url": access.crm_base_url,
            "create": customer.create,
            "visibility_seconds": VISIBILITY_SECONDS,
        },
    )


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings.require_database_url(), connections=1, name="demo")
    try:
        yield engine
    finally:
        engine.dispose()
