"""Say again what Redis forgot: work without a message, customers missing from the hot set, runs whose time has come."""

from __future__ import annotations

import structlog

from common.domain.clock import Clock
from common.domain.customers import Lane
from common.queueing.deliveries import Deliveries
from common.queueing.polls import Polls
from common.storage.overview import PostgresOverview

log = structlog.get_logger(__name__)

#: A poll asked for by the sweep is asked for again if nobody took it within this time.
CONTINUATION_EXPIRES_SECONDS = 10.0


def sweep(overview: PostgresOverview, deliveries: Deliveries, polls: Polls, clock: Clock) -> int:
    """How many messages were missing."""
    now = clock.now()
    missing = deliveries.restore({work.customer_id: Lane(work.lane) for work in overview.due_work(now)}, by="sweep")
    for due in overview.due_runs(now):
        polls.publish(due.customer_id, Lane(due.lane), expires_seconds=CONTINUATION_EXPIRES_SECONDS)
    if missing:
        log.info("deliveries restored", action="sweep.restored", count=missing)
    return missing
