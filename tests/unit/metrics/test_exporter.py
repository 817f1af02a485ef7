"""The exporter's figures: one gauge per figure and customer, nothing personal."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from common.domain.backlog import BacklogLimits
from common.domain.breakers import Breaker, BreakerState, blocked
from common.domain.clock import ManualClock
from common.domain.customers import System
from common.domain.nights import NightGlance
from common.domain.targets import MissingTarget
from common.metrics.exporter import FleetCollector
from common.storage.attention import TargetsFound
from common.storage.overview import CustomerOverview

CLOCK = ManualClock()
ALERTS = Path(__file__).resolve().parents[3] / "deploy/prometheus/alerts.yml"


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

    def not_final(self, _now):
        return {"acme": 7}

    def customers(self):
        return self._rows


def exported(*rows: CustomerOverview, depth: int = 0) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FleetCollector(Overviews(*rows), lambda ids: dict.fromkeys(ids, depth), CLOCK, BacklogLimits()))
    return generate_latest(registry).decode()


def test_depths_and_counts_are_told_per_customer():
    text = exported(overview("acme", pending=3, submitted=2, dead_letters=1), overview("beta"), depth=4)

    assert 'syncfleet_queue_depth{customer_id="acme",lane="background"} 4.0' in text
    assert 'syncfleet_events_pending{customer_id="acme",lane="background"} 3.0' in text
    assert 'syncfleet_events_submitted{customer_id="acme",lane="background"} 2.0' in text
    assert 'syncfleet_dead_letters{customer_id="beta",lane="background"} 0.0' in text


def test_events_that_are_not_final_in_time_are_told_and_none_is_told_as_none():
    text = exported(overview("acme"), overview("beta"))

    assert 'syncfleet_events_not_final{customer_id="acme",lane="background"} 7.0' in text
    assert 'syncfleet_events_not_final{customer_id="beta",lane="background"} 0.0' in text


def test_every_alert_asks_for_figures_that_are_exported():
    text = exported(overview("acme", night=NightGlance()))
    asked = set(re.findall(r"syncfleet_\w+", ALERTS.read_text()))

    missing = {name for name in asked if f"# HELP {name} " not in text}
    assert missing == set()


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


def test_a_customer_that_rests_because_its_runs_failed_shows_beside_those_a_person_paused():
    tomorrow = CLOCK.now() + timedelta(days=1)
    text = exported(overview("a", status="paused", paused_until=tomorrow), overview("b", status="paused"))

    assert 'syncfleet_resting{customer_id="a",lane="background"} 1.0' in text
    assert 'syncfleet_resting{customer_id="b",lane="background"} 0.0' in text


def test_missing_targets_of_mappings_are_counted_and_who_was_never_looked_at_has_none():
    missing = [MissingTarget(resource="users", field=name) for name in ("Shoe", "Hat")]
    found = TargetsFound(missing=missing, looked_at=CLOCK.now())
    text = exported(overview("a", targets=found), overview("b"))

    assert 'syncfleet_mapping_targets_missing{customer_id="a",lane="background"} 2.0' in text
    assert 'syncfleet_mapping_targets_missing{customer_id="b",lane="background"} 0.0' in text


def test_backpressure_has_two_steps():
    text = exported(
        overview("a", pending=9_999), overview("b", pending=9_999, submitted=1), overview("c", pending=50_000)
    )

    for customer_id, step in (("a", 0), ("b", 1), ("c", 2)):
        assert f'syncfleet_backpressure{{customer_id="{customer_id}",lane="background"}} {step}.0' in text


def test_only_systems_in_trouble_have_a_line():
    breakers = {System.SOURCE: blocked("401"), System.DESTINATION: Breaker(state=BreakerState.HALF_OPEN)}
    text = exported(overview("a", breakers=breakers), overview("b", breakers={System.SOURCE: Breaker(failures=2)}))

    assert 'syncfleet_blocked{customer_id="a",lane="background",system="source"} 1.0' in text
    assert 'syncfleet_breaker_open{customer_id="a",lane="background",system="destination"} 1.0' in text
    assert text.count("syncfleet_blocked{") == text.count("syncfleet_breaker_open{") == 1
