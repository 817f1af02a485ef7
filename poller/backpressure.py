"""Backpressure: a run adds no page to a backlog that has reached its limit; it is put off, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from common.domain.backlog import Backlog, BacklogLimits
from common.domain.clock import Clock
from common.domain.errors import BacklogFull
from common.metrics.catalogue import Metrics

log = structlog.get_logger(__name__)

#: A run that was held back looks again after this: a destination applies some ten events a second at best, so that
#: there is room for pages by then, and a look costs one count.
LOOK_AGAIN_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Backpressure:
    """Asked before each page."""

    backlog: Backlog
    limits: BacklogLimits
    clock: Clock
    metrics: Metrics

    def check(self, customer_id: str, origin: str) -> None:
        """Raises BacklogFull if a run of this origin may not add to the customer's events now."""
        limit = self.limits.of(origin)
        if self.backlog.open_events(customer_id, limit) < limit:
            return
        log.warning("run is held back", action="run.backpressure", origin=origin, open_events_limit=limit)
        self.metrics.runs_held_back.labels(customer_id, origin).inc()
        until = self.clock.now() + timedelta(seconds=LOOK_AGAIN_SECONDS)
        raise BacklogFull(f"backpressure: {limit} or more events wait to be applied", until=until)
