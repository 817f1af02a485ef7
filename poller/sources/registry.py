"""The sources there are: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.sources import Source
from common.http.client import ApiClient
from poller.sources.volunteer.client import VolunteerSource, open_volunteer
from poller.sources.volunteer.settings import read_settings

NO_PLAN: Mapping[str, Any] = MappingProxyType({})


class Open(Protocol):
    """Bind a connector to one customer's account; sends nothing. Raises CustomerInvalid for malformed settings."""

    def __call__(self, api: ApiClient, customer: Customer, *, plan: Mapping[str, Any] = NO_PLAN) -> Source:
        """`plan`: what the connector wants kept of this customer between runs, JSON-ready; empty: nothing yet."""
        ...


@dataclass(frozen=True, kw_only=True)
class SourceDefinition:
    """A connector, unbound."""

    base_url: str
    resources: Sequence[str]
    #: Raises CustomerInvalid, naming the first setting that is malformed.
    check: Callable[[Customer], object]
    open: Open


SOURCES: Mapping[str, SourceDefinition] = {
    "volunteer": SourceDefinition(
        base_url="https://api.vomo.org/v1",
        resources=VolunteerSource.resources,
        check=read_settings,
        open=open_volunteer,
    ),
}


def definition(customer: Customer) -> SourceDefinition:
    """Raises CustomerInvalid for a source that is not here."""
    found = SOURCES.get(customer.source)
    if found is None:
        raise CustomerInvalid(customer.customer_id, "source", f"{customer.source!r} is none of {', '.join(SOURCES)}")
    return found


def resources(customer: Customer) -> Sequence[str]:
    return definition(customer).resources
