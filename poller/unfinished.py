"""Daily reconciliation also asks whether what was detected in the last day has come to its end.

An event that is still open after an hour is waiting for somebody: a destination in trouble, a budget, a record it
depends on. The alert on old events says so while it lasts; the run's report keeps it, resource by resource.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from common.domain.checkpoints import Progress
from common.domain.customers import Customer
from common.domain.ending import UNFINISHED_AFTER
from poller.run_parts import RunParts

log = structlog.get_logger(__name__)


def told_of_unfinished(parts: RunParts, customer: Customer, resource: str, progress: Progress) -> str:
    """For the report of a run that reads the last day again; empty: of another one, or all are final."""
    if progress.since is None:
        return ""
    since, before = datetime.fromisoformat(progress.since), parts.clock.now() - UNFINISHED_AFTER
    count = parts.store.unfinished(customer.customer_id, resource, since=since, before=before)
    if not count:
        return ""
    log.error("events are not final", action="events.unfinished", resource=resource, count=count)
    parts.metrics.events_unfinished.labels(customer.customer_id, resource).inc(count)
    return f"{count} events of the last day are not final after an hour: see `fleet status {customer.customer_id}`"
