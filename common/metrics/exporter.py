"""Depths and ages, read from PostgreSQL and Redis at each scrape: what no single worker knows.

Flower's own metrics have no queue lengths. One exporter serves the whole fleet; it holds no state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from common.domain.backlog import BacklogLimits
from common.domain.breakers import BreakerState
from common.domain.clock import Clock
from common.domain.nights import NightGlance, NightState
from common.storage.overview import CustomerOverview

#: Who waits for a full backlog, as a figure.
HELD_BACK = {"": 0, "backfill": 1, "poll": 2}
#: Of a nightly customer's last night that ended.
NIGHT_GAUGES: tuple[tuple[str, str, Callable[[NightGlance], float]], ...] = (
    ("night_failed", "1: the last night failed.", lambda night: float(night.last_state == NightState.FAILED)),
    ("night_failure_rate", "Dead letters of all that ended in the last night, 0 to 1.", lambda n: n.failure_rate),
    ("night_pauses", "Times a budget or a 429 held up the last night.", lambda night: float(night.pauses)),
)
BLOCKED = frozenset({BreakerState.BLOCKED})
IN_TROUBLE = frozenset({BreakerState.OPEN, BreakerState.HALF_OPEN})


class Overviews(Protocol):
    """Where the figures of all customers come from."""

    def customers(self) -> Iterable[CustomerOverview]: ...

    def not_final(self, now: datetime) -> Mapping[str, int]:
        """By customer: events of the last day that are not final after an hour; those without any are missing."""
        ...


class FleetCollector(Collector):
    """Yields one gauge per figure, labelled by customer."""

    def __init__(
        self, overviews: Overviews, depths: Callable[[Iterable[str]], Mapping[str, int]], clock: Clock,
        limits: BacklogLimits, *, night_failure_percent: float = 5.0,
    ) -> None:  # fmt: skip
        self._night_limit = night_failure_percent / 100
        self._overviews = overviews
        self._depths = depths
        self._clock = clock
        self._limits = limits

    def collect(self) -> Iterator[Metric]:
        rows, now = list(self._overviews.customers()), self._clock.now()
        depths = self._depths([row.customer_id for row in rows])
        yield self._gauge("queue_depth", "Deliveries on the customer's queue.", rows, lambda r: depths[r.customer_id])
        yield self._gauge("events_pending", "Events still to be applied.", rows, lambda r: r.pending)
        yield self._gauge("events_submitted", "Events accepted and not visible yet.", rows, lambda r: r.submitted)
        late = self._overviews.not_final(now)
        yield self._gauge(
            "events_not_final", "Events of the last day that are not final an hour after they were detected.", rows,
            lambda r: late.get(r.customer_id, 0),
        )  # fmt: skip
        yield self._gauge("dead_letters", "Dead letters that wait for a person.", rows, lambda r: r.dead_letters)
        yield self._gauge(
            "deletions_waiting", "Deletions that a fuse holds.", rows, lambda r: sum(r.deletions.values())
        )
        yield self._gauge("paused", "1 if the customer is paused.", rows, lambda r: float(r.status == "paused"))
        yield self._gauge(
            "applying_paused", "1 if nothing is applied although the customer is polled: too many dead letters.", rows,
            lambda r: float(bool(r.applying_paused)),
        )  # fmt: skip
        yield self._gauge(
            "resting", "1 if the customer is paused for a time because its runs fail.", rows,
            lambda r: float(r.status == "paused" and r.paused_until is not None),
        )  # fmt: skip
        yield self._gauge(
            "backpressure", "0; 1: its backfills wait for open events to be applied; 2: its polls too.", rows,
            lambda r: float(HELD_BACK[self._limits.held_back(r.pending + r.submitted)]),
        )  # fmt: skip
        yield self._gauge(
            "mapping_targets_missing", "Custom fields of the mapping that the destination lacks.", rows,
            lambda r: float(len(r.targets.missing)) if r.targets else 0.0,
        )  # fmt: skip
        yield self._systems("blocked", "1: the system does not accept the customer's token.", rows, BLOCKED)
        yield self._systems("breaker_open", "1: the system is in trouble, and not asked for now.", rows, IN_TROUBLE)
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
        yield from self._nights([row for row in rows if row.night is not None], now)
        yield self._gauge("last_run_seconds", "Since a run last ended well.", rows, lambda r: _age(r.last_run_at, now))

    def _nights(self, rows: Iterable[CustomerOverview], now: datetime) -> Iterator[Metric]:
        """Of nightly customers only, so that `unless` can leave them out of what is meant for continuous ones."""
        yield self._gauge("nightly", "1: in nightly mode.", rows, lambda r: float(r.night is not None))
        for name, meaning, read in NIGHT_GAUGES:
            yield self._gauge(name, meaning, rows, lambda r, read=read: read(r.night) if r.night else 0.0)  # type: ignore[misc]
        yield self._gauge(
            "night_completed_seconds", "Since a night was last completed, or since the first came.", rows,
            lambda r: _age(r.night.completed_at if r.night else None, now),
        )  # fmt: skip
        yield self._gauge(
            "night_failure_limit", "Failure rate of a night that is too high.", rows, lambda _: self._night_limit
        )

    @staticmethod
    def _systems(
        name: str, meaning: str, rows: Iterable[CustomerOverview], states: Collection[BreakerState]
    ) -> GaugeMetricFamily:
        """Only of systems that are so: thousands of zeros would tell nothing."""
        family = GaugeMetricFamily(f"syncfleet_{name}", meaning, labels=["customer_id", "lane", "system"])
        for row in rows:
            for system, breaker in row.breakers.items():
                if breaker.state in states:
                    family.add_metric([row.customer_id, row.lane, system], 1.0)
        return family

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
