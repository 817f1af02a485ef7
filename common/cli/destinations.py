"""A customer's destination, opened for a command: with its stored token, on its own budget."""

from __future__ import annotations

from common.cli.bootstrap import Parts
from common.cli.failures import CommandFailed
from common.cli.verification import client_of
from common.domain.catalogue import RECORDS
from common.domain.customers import Customer, System
from common.domain.destinations import Destination
from common.domain.entities import EntityKey
from common.domain.limits import Budget, Share
from processor.destinations import registry


def open_destination(
    parts: Parts, customer: Customer, *, budget: Budget | None = None, share: Share = Share.LIVE
) -> Destination:
    """Raises CustomerInvalid if it has no token, or its settings are malformed."""
    token = parts.vault.open(customer.customer_id, System.DESTINATION)
    api = client_of(parts, customer, System.DESTINATION, token, budget or parts.budget, share)
    return registry.definition(customer).open(api, customer, parts.clock, parts.references)


def read_record(customer_id: str, record: str, default_resource: str | None = None) -> EntityKey:
    """`RESOURCE/ID`, or an id alone where a resource is given. Raises CommandFailed."""
    resource, slash, source_id = record.partition("/")
    if not slash and default_resource and record not in RECORDS:
        resource, source_id = default_resource, record
    if not resource or not source_id:
        raise CommandFailed(f"{record!r}: write RESOURCE/ID, as in users/4101", exit_code=2)
    return EntityKey(customer_id=customer_id, resource=resource, source_id=source_id)
