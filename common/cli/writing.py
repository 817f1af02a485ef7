"""What a customer's first backfill costs at its destination, where that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from common.domain.customers import Customer
from common.domain.limits import Share, allowance
from processor.destinations.crm_plus.costs import FORMULAS, Change, Kind, Load, outlay
from processor.destinations.crm_plus.settings import read_settings

#: Customer and records by resource; requests by resource.
Writes: TypeAlias = Callable[[Customer, Mapping[str, int]], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Every record taken for new: one that is found there already costs less."""

    destination: str
    records: Mapping[str, int]
    #: Only resources that have records and become a write.
    by_resource: Mapping[str, float]
    requests: float
    requests_per_hour: int
    hours: float


def writing(customer: Customer, records: Mapping[str, int], requests_per_hour: int) -> Writing | None:
    """None if nothing is known of what its destination costs. Raises CustomerInvalid for malformed settings."""
    writes = WRITES.get(customer.destination)
    if writes is None:
        return None
    by_resource = writes(customer, records)
    requests = sum(by_resource.values())
    return Writing(
        destination=customer.destination,
        records={resource: records.get(resource, 0) for resource in by_resource},
        by_resource=by_resource,
        requests=requests,
        requests_per_hour=requests_per_hour,
        hours=requests / allowance(requests_per_hour, Share.BACKFILL, 1.0),
    )


def _crm_plus(customer: Customer, records: Mapping[str, int]) -> Mapping[str, float]:
    """As if the organization had bulk endpoints and the volunteer module."""
    load = Load(settings=read_settings(customer))
    changes: dict[Kind, int] = {
        (name, change): records.get(name, 0) for name, change in FORMULAS if change is Change.NEW
    }
    return {resource: requests for (resource, _), requests in outlay(changes, load).by_kind.items()}


#: By destination.
WRITES: Mapping[str, Writes] = {"crm_plus": _crm_plus}
