"""The sources there are: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol

from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.sizes import Sizes
from common.domain.sources import ResourceTerms, Source, Style
from common.http.client import ApiClient
from poller.sources.estimates import Reckoned
from poller.sources.volunteer.client import VolunteerSource, open_volunteer
from poller.sources.volunteer.planning import reckon, replan
from poller.sources.volunteer.settings import read_settings

NO_PLAN: Mapping[str, Any] = MappingProxyType({})
#: A customer's plan in the reference cache, and how long it is worth anything: after a month out of use, the account is
#: another one.
PLAN, PLAN_KEPT = "scan_plan", timedelta(days=31)


class Open(Protocol):
    """Bind a connector to one customer's account; sends nothing. Raises CustomerInvalid for malformed settings."""

    def __call__(self, api: ApiClient, customer: Customer, *, plan: Mapping[str, Any] = NO_PLAN) -> Source:
        """`plan`: what the connector wants kept of this customer between runs, JSON-ready; empty: nothing yet."""
        ...


class Replan(Protocol):
    """Make that plan anew from what the mirror says of the account's size; sends nothing. Raises CustomerInvalid."""

    def __call__(
        self, customer: Customer, sizes: Sizes, *, poll_seconds: float, kept: Mapping[str, Any], now: datetime
    ) -> Mapping[str, Any] | None:
        """`kept`: the last one; empty: none. None: too little is known yet, the last one stays."""
        ...


class Reckon(Protocol):
    """Say what a customer costs in requests. Raises CustomerInvalid, or SyncError if the source has to be asked."""

    def __call__(
        self, customer: Customer, sizes: Sizes, *, poll_seconds: float, kept: Mapping[str, Any], now: datetime,
        open_source: Callable[[], Source],
    ) -> Reckoned:  # fmt: skip
        """`open_source` is called only if the mirror does not have the lists yet."""
        ...


@dataclass(frozen=True, kw_only=True)
class SourceDefinition:
    """A connector, unbound."""

    base_url: str
    terms: Mapping[str, ResourceTerms]
    #: Raises CustomerInvalid, naming the first setting that is malformed.
    check: Callable[[Customer], object]
    open: Open
    replan: Replan
    reckon: Reckon

    @property
    def resources(self) -> Sequence[str]:
        """In reading order."""
        return tuple(self.terms)


SOURCES: Mapping[str, SourceDefinition] = {
    "volunteer": SourceDefinition(
        base_url="https://api.vomo.org/v1",
        terms=VolunteerSource.terms,
        check=read_settings,
        open=open_volunteer,
        replan=replan,
        reckon=reckon,
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


def scanned(customer: Customer) -> Sequence[str]:
    """Those of which only a full scan compares all: they are read by their time of change, or by a cursor."""
    return tuple(name for name, terms in definition(customer).terms.items() if terms.style is not Style.SCOPED)
