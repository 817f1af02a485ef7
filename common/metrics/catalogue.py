"""Every metric, by name, with its meaning. No other module makes one.

Only metrics whose cardinality is bounded by the number of customers may carry `customer_id`; no metric carries an
entity, an event or anything personal.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

#: From a change at the source to its event's end, in seconds: from "at once" to "the hourly tier".
FRESHNESS_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
#: A slice, in seconds.
SLICE_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 40)


class Metrics:
    """The catalogue, registered once per process (or per test)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.http_requests = Counter(
            "syncfleet_http_requests", "Requests sent, by system and status class (`none`: no answer).",
            ["system", "status"], registry=registry,
        )  # fmt: skip
        self.runs = Counter(
            "syncfleet_runs",
            "Slices of runs that ended, by resource and how.",
            ["resource", "state"],
            registry=registry,
        )
        self.events_detected = Counter(
            "syncfleet_events_detected", "Events put into the outbox.", ["customer_id", "resource"], registry=registry
        )
        self.events_ended = Counter(
            "syncfleet_events_ended", "Events that reached a final state.", ["customer_id", "state"], registry=registry
        )
        self.freshness = Histogram(
            "syncfleet_freshness_seconds", "From the source's own time of change to the event's end.",
            ["lane"], buckets=FRESHNESS_BUCKETS, registry=registry,
        )  # fmt: skip
        self.slices = Histogram(
            "syncfleet_slice_seconds", "How long a delivery held its worker.", ["lane"], buckets=SLICE_BUCKETS,
            registry=registry,
        )  # fmt: skip
        self.verdicts = Counter("syncfleet_verdicts", "What errors led to.", ["system", "verdict"], registry=registry)
        self.unknown_values = Counter(
            "syncfleet_unknown_values", "Values outside a known set, kept as they are.", ["resource", "field"],
            registry=registry,
        )  # fmt: skip
        self.breaker_openings = Counter(
            "syncfleet_breaker_openings", "Times a customer's system was found to be in trouble, by `source` or "
            "`destination`.", ["system"], registry=registry,
        )  # fmt: skip
        self.runs_held_back = Counter(
            "syncfleet_runs_held_back", "Runs put off because too many events wait.", ["customer_id", "origin"],
            registry=registry,
        )  # fmt: skip
        self.deletions_held = Counter(
            "syncfleet_deletions_held", "Deletions that a fuse has held until a person decides.",
            ["customer_id", "resource"], registry=registry,
        )  # fmt: skip
        self.events_unfinished = Counter(
            "syncfleet_events_unfinished", "Events of the last day that reconciliation has found not final in time.",
            ["customer_id", "resource"], registry=registry,
        )  # fmt: skip
        self.run_pauses = Counter(
            "syncfleet_run_pauses", "Customers paused for a day because their runs failed.", ["customer_id"],
            registry=registry,
        )  # fmt: skip
        self.deliveries_published = Counter(
            "syncfleet_deliveries_published", "Deliveries put on customers' queues, by who.", ["by"], registry=registry
        )
