"""The exporter's figures: one gauge per figure and customer, nothing personal."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from common.domain.clock import ManualClock
from common.metrics.exporter import FleetCollector
from common.storage.overview import CustomerOverview

CLOCK = ManualClock()


def overview(customer_id: str, **changes) -> CustomerOverview:
    values = {
        "customer_id": customer_id, "tier": "basic", "lane": "background", "status": "active", "status_reason": "",
        "parked_until": None, "parked_reason": "", "checkpoint": None, "last_run_at": None, "pending": 0,
        "submitted": 0, "oldest_pending_at": None, "dead_letters": 0,
    }  # fmt: skip
    return CustomerOverview(**{**values, **changes})


class Overviews:
    def __init__(self, *rows: CustomerOverview) -> None:
        self._rows = rows

    def customers(self):
        return self._rows


def exported(*rows: CustomerOverview, depth: int = 0) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FleetCollector(Overviews(*rows), lambda ids: dict.fromkeys(ids, depth), CLOCK))
    return generate_latest(registry).decode()


def test_depths_and_counts_are_told_per_customer():
    text = exported(overview("acme", pending=3, submitted=2, dead_letters=1), overview("beta"), depth=4)

    assert 'syncfleet_queue_depth{customer_id="acme",lane="background"} 4.0' in text
    assert 'syncfleet_events_pending{customer_id="acme",lane="background"} 3.0' in text
    assert 'syncfleet_events_submitted{customer_id="acme",lane="background"} 2.0' in text
    assert 'syncfleet_dead_letters{customer_id="beta",lane="background"} 0.0' in text


def test_ages_are_in_seconds_and_zero_for_what_never_was():
    an_hour_ago = CLOCK.now() - timedelta(hours=1)
    text = exported(overview("acme", oldest_pending_at=an_hour_ago))

    assert 'syncfleet_oldest_pending_seconds{customer_id="acme",lane="background"} 3600.0' in text
    assert 'syncfleet_last_run_seconds{customer_id="acme",lane="background"} 0.0' in text


def test_parked_ends_at_its_time_and_paused_does_not():
    past, future = CLOCK.now() - timedelta(seconds=1), CLOCK.now() + timedelta(seconds=1)
    text = exported(
        overview("a", parked_until=past), overview("b", parked_until=future), overview("c", status="paused")
    )

    assert 'syncfleet_parked{customer_id="a",lane="background"} 0.0' in text
    assert 'syncfleet_parked{customer_id="b",lane="background"} 1.0' in text
    assert 'syncfleet_paused{customer_id="c",lane="background"} 1.0' in text
