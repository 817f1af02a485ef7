"""Whether a customer's source is there: one small request, through its breaker."""

from __future__ import annotations

from common.domain.customers import Customer, System
from common.domain.errors import CustomerBlocked, SyncError
from common.domain.limits import Share
from common.domain.nights import Finding, Probe, is_rate_pause
from common.domain.passages import passing
from common.domain.sources import PageQuery
from poller.run_parts import RunParts


def probe_source(parts: RunParts, customer: Customer) -> Probe:
    """What has changed since now, of its first resource: next to nothing, and it takes a token that works."""
    try:
        with passing(parts.breakers, parts.clock, customer.customer_id, System.SOURCE) as passage:
            source = parts.open_source(customer, Share.LIVE)
            query = PageQuery(resource=source.resources[0], updated_after=parts.clock.now())
            passage.watch(lambda: source.page(query))
    except CustomerBlocked as block:
        return Probe(finding=Finding.REFUSED, at=parts.clock.now(), said=str(block))
    except SyncError as error:
        if is_rate_pause(error):
            parts.note_pause(customer)
        return Probe(finding=Finding.UNREACHABLE, at=parts.clock.now(), said=str(error))
    return Probe(finding=Finding.REACHABLE, at=parts.clock.now())
