"""Runs that fail in a row: after some, the customer rests for a day, and a person is told.

What counts is what ends a run as failed: pages that cannot be read, again and again, and defects of ours. An outage
of the source does not: it puts a run off, by the breaker, for as long as it lasts. Nor does a rejected token, which
blocks the source until it is verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from common.domain.clock import Clock
from common.domain.stores import CustomerStore
from common.metrics.catalogue import Metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class FailureLimit:
    """How many, and how long the rest is."""

    customers: CustomerStore
    clock: Clock
    metrics: Metrics
    #: Failed runs in a row, of one resource and layer.
    runs: int = 3
    pause_hours: float = 24.0

    def mind(self, customer_id: str, failed_runs: int, last_error: str) -> None:
        """Pause the customer if that many have failed."""
        if failed_runs < self.runs:
            return
        until = self.clock.now() + timedelta(hours=self.pause_hours)
        reason = f"{failed_runs} runs in a row failed, the last one: {last_error}; `fleet runs list {customer_id}`"
        log.error("customer paused", action="customer.paused_by_runs", until=until.isoformat(), why=reason)
        self.metrics.run_pauses.labels(customer_id).inc()
        self.customers.pause(customer_id, reason, until=until)
