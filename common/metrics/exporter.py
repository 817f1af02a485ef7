"""Depths and ages, read from PostgreSQL and Redis at each scrape: what no single worker knows.

Flower's own metrics have no queue lengths. One exporter serves the whole fleet; it holds no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from common.domain.clock import Clock
from common.storage.overview import CustomerOverview


class Overviews(Protocol):
    """Where the figures of all customers come from."""

    def customers(self) -> Iterable[CustomerOverview]: ...


class FleetCollector(Collector):
    """Yields one gauge per figure, labelled by customer."""

    def __init__(
        self, overviews: Overviews, depths: Callable[[Iterable[str]], Mapping[str, int]], clock: Clock
    ) -> None:
        self._overviews = overviews
        self._depths = depths
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        rows, now = list(self._overviews.customers()), self._clock.now()
        depths = self._depths([row.customer_id for row in rows])
        yield self._gauge("queue_depth", "Deliveries on the customer's queue.", rows, lambda r: depths[r.customer_id])
        yield self._gauge("events_pending", "Events still to be applied.", rows, lambda r: r.pending)
        yield self._gauge("events_submitted", "Events accepted and not visible yet.", rows, lambda r: r.submitted)
        yield self._gauge("dead_letters", "Dead letters that wait for a person.", rows, lambda r: r.dead_letters)
        yield self._gauge("paused", "1 if the customer is paused.", rows, lambda r: float(r.status == "paused"))
        yield self._gauge(
            "parked", "1 if the customer is parked.", rows,
            lambda r: float(r.parked_until is not None and r.parked_until > now),
        )  # fmt: skip
        yield self._gauge(
            "oldest_pending_seconds",
            "Age of the longest waiting event.",
            rows,
            lambda r: _age(r.oldest_pending_at, now),
        )
        yield self._gauge("last_run_seconds", "Since a run last ended well.", rows, lambda r: _age(r.last_run_at, now))

    @staticmethod
    def _gauge(
        name: str, meaning: str, rows: Iterable[CustomerOverview], read: Callable[[CustomerOverview], float]
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"syncfleet_{name}", meaning, labels=["customer_id", "lane"])
        for row in rows:
            family.add_metric([row.customer_id, row.lane], read(row))
        return family


def _age(moment: datetime | None, now: datetime) -> float:
    """Seconds; 0 for what never was, so that an idle customer raises no alert."""
    return (now - moment).total_seconds() if moment else 0.0
