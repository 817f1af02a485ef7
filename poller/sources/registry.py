"""The sources there are: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.sources import Source
from common.http.client import ApiClient
from poller.sources.volunteer.client import VolunteerSource


@dataclass(frozen=True, kw_only=True)
class SourceDefinition:
    """A connector, unbound."""

    base_url: str
    resources: Sequence[str]
    open: Callable[[ApiClient, Customer], Source]


SOURCES: Mapping[str, SourceDefinition] = {
    "volunteer": SourceDefinition(
        base_url="https://api.vomo.org/v1", resources=VolunteerSource.resources, open=VolunteerSource
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
