"""Reconciliation tells whether every event of the last day is final."""

from __future__ import annotations

import pytest
from support.builders import NOW
from support.listing import Listing
from support.recording import PollerRig

from common.domain.ending import UNFINISHED_AFTER
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.domain.runs import RunState
from poller import runs

HOUR = UNFINISHED_AFTER.total_seconds()


@pytest.fixture
def rig():
    """Three people have been polled; nobody has applied anything."""
    listing = Listing()
    for number in range(3):
        listing.put(f"u{number}", f"name{number}", at=NOW)
    rig = PollerRig(listing)
    rig.run()
    return rig


def reconcile(rig, layer=Layer.RECONCILIATION):
    assert runs.run(rig.parts, rig.customers.get("acme"), USERS, layer) == RunState.COMPLETED
    return rig.tables.runs[-1].error


def told(rig):
    value = rig.metrics.registry.get_sample_value(
        "syncfleet_events_unfinished_total", {"customer_id": "acme", "resource": USERS}
    )
    return value or 0


def test_events_that_wait_for_longer_than_an_hour_are_told(rig):
    rig.clock.advance(HOUR + 1)

    assert reconcile(rig) == "3 events of the last day are not final after an hour: see `fleet status acme`"
    assert told(rig) == 3


def test_what_is_younger_or_older_than_its_day_is_not_told(rig):
    rig.clock.advance(HOUR - 1)
    assert reconcile(rig) == ""
    rig.clock.advance(26 * HOUR)

    assert (reconcile(rig), told(rig)) == ("", 0)


def test_a_poll_tells_nothing_of_it(rig):
    rig.clock.advance(HOUR + 1)

    assert reconcile(rig, Layer.POLL) == ""
