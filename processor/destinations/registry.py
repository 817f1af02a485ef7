"""The destinations there are: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from common.domain.clock import Clock
from common.domain.customers import Customer
from common.domain.destinations import Destination
from common.domain.errors import CustomerInvalid
from common.domain.references import ReferenceCache
from common.http.client import ApiClient
from processor.destinations.crm_plus.client import open_crm_plus
from processor.destinations.crm_plus.settings import read_settings


@dataclass(frozen=True, kw_only=True)
class DestinationDefinition:
    """A connector, unbound."""

    base_url: str
    #: Raises CustomerInvalid, naming the first setting that is malformed.
    check: Callable[[Customer], object]
    open: Callable[[ApiClient, Customer, Clock, ReferenceCache], Destination]
    #: Writes in the largest request it sends. Raises CustomerInvalid as `check` does.
    batch_size: Callable[[Customer], int]


DESTINATIONS: Mapping[str, DestinationDefinition] = {
    "crm_plus": DestinationDefinition(
        base_url="https://api.virtuoussoftware.com",
        check=read_settings,
        open=open_crm_plus,
        batch_size=lambda customer: read_settings(customer).batch_size,
    ),
}


def definition(customer: Customer) -> DestinationDefinition:
    """Raises CustomerInvalid for a destination that is not here."""
    found = DESTINATIONS.get(customer.destination)
    if found is None:
        known = ", ".join(DESTINATIONS)
        raise CustomerInvalid(customer.customer_id, "destination", f"{customer.destination!r} is none of {known}")
    return found
