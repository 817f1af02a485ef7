"""Whether a customer's destination has the custom fields that its mapping names, looked at because a person asked."""

from __future__ import annotations

from collections.abc import Sequence

from common.cli.bootstrap import Parts
from common.cli.destinations import open_destination
from common.domain.customers import Customer
from common.domain.mapping import read_mapping
from common.domain.targets import keep, missing_targets


def look_at_targets(parts: Parts, customer: Customer, *, keeps: bool = True) -> Sequence[str]:
    """A line for each that is missing. `keeps`: from now on `fleet status` says so, or says it no more."""
    mapping = read_mapping(customer.customer_id, customer.mapping)
    looked_at = parts.clock.now()
    names = [name for resource in mapping.resources for name in mapping.custom_fields(resource)]
    found = missing_targets(open_destination(parts, customer), mapping) if names else []
    if keeps:
        keep(parts.references, customer.customer_id, found, looked_at)
    return [each.told(customer.customer_id, customer.destination) for each in found]
