"""The day's look at the custom fields that a customer's mapping names: what is missing, and since when it was seen."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from common.domain.customers import Customer, System
from common.domain.errors import SyncError
from common.domain.limits import Share
from common.domain.mapping import read_mapping
from common.domain.passages import passing
from common.domain.references import ReferenceCache
from common.domain.targets import MissingTarget, keep, missing_targets
from processor.guarding import Guarded
from processor.slices import SliceParts

log = structlog.get_logger(__name__)


def check_targets(parts: SliceParts, references: ReferenceCache, customer: Customer) -> bool:
    """Ask, and keep the finding for `fleet status`. False: it could not be asked; the finding before stays, and the
    sweep has it asked again.

    It may wait, so it asks on the share of reconciliations, and never parks a customer whose changes could go on.
    """
    looked_at = parts.clock.now()
    try:
        with passing(parts.breakers, parts.clock, customer.customer_id, System.DESTINATION) as passage:
            destination = Guarded(parts.open_destination(customer, Share.RECONCILIATION), passage)
            missing = missing_targets(destination, read_mapping(customer.customer_id, customer.mapping))
    except SyncError as error:
        log.warning("mapping not checked", action="mapping.unchecked", why=str(error), error=type(error).__name__)
        return False
    keep(references, customer.customer_id, missing, looked_at)
    _tell(missing)
    return True


def _tell(missing: Sequence[MissingTarget]) -> None:
    if missing:
        fields = [f"{each.resource}/{each.field}" for each in missing]
        log.warning("targets of the mapping are missing", action="mapping.targets_missing", fields=fields)
