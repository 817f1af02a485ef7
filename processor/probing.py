"""Whether a customer's destination is there: its night wants to know, and the finding goes into the night's row."""

from __future__ import annotations

import structlog

from common.domain.customers import Customer, System
from common.domain.destinations import Probed
from common.domain.errors import CustomerBlocked, PermanentError, SyncError
from common.domain.limits import Share
from common.domain.nights import Finding, NightStore, Probe, is_rate_pause
from common.domain.passages import passing
from processor.slices import SliceParts

log = structlog.get_logger(__name__)


def note_destination(parts: SliceParts, nights: NightStore, customer: Customer) -> None:
    """Ask, and write down what was found, if a night still waits for it."""
    night = nights.current(customer.customer_id)
    if night is None:
        return
    found = probe_destination(parts, customer)
    log.info("destination probed", action="night.probed", finding=found.finding, why=found.said)
    nights.note_probe(customer.customer_id, System.DESTINATION, found)


def probe_destination(parts: SliceParts, customer: Customer) -> Probe:
    """One request, through the breaker. A connector that has no probe counts as unsupported, not as down."""
    try:
        with passing(parts.breakers, parts.clock, customer.customer_id, System.DESTINATION) as passage:
            destination = parts.open_destination(customer, Share.LIVE)
            is_supported = isinstance(destination, Probed) and passage.watch(destination.probe)
    except (CustomerBlocked, PermanentError) as block:
        return Probe(finding=Finding.REFUSED, at=parts.clock.now(), said=str(block))
    except SyncError as error:
        if is_rate_pause(error):
            parts.note_pause(customer)
        return Probe(finding=Finding.UNREACHABLE, at=parts.clock.now(), said=str(error))
    return Probe(finding=Finding.REACHABLE if is_supported else Finding.UNSUPPORTED, at=parts.clock.now())
