"""A worker that is asked to stop ends what is under way at the next page or request, and another goes on."""

from __future__ import annotations

import os
import signal

import pytest
from support.waiting import wait_until

from poller.tasks import poll_customer


class StopsAfter:
    """Asked to stop after so many looks."""

    def __init__(self, looks):
        self.left = looks

    def __call__(self):
        self.left -= 1
        return self.left < 0


class Poller:
    """What the poll's task needs of a worker."""

    def __init__(self, hub):
        self.customers, self.run_parts, self.polls, self.plans = hub.customers, hub.run_parts, self, self
        self.published = []

    def resources(self, _customer):
        return ("users", "projects", "groups")

    def renew(self, _customer):
        """No plan is kept."""

    def publish(self, customer_id, lane, *, layer, resources):
        self.published.append((customer_id, str(layer), resources))


def test_a_run_ends_at_its_next_page_and_is_continued(hub, organization):
    access = organization(users=60)
    hub.onboard(access)
    hub.with_run_parts(is_stopping=StopsAfter(1))
    assert hub.poll(access.name) == "continued"
    assert 0 < hub.states(access.name)["pending"] < 60

    hub.with_run_parts(is_stopping=StopsAfter(1000))
    assert hub.poll(access.name) == "completed"
    assert hub.states(access.name) == {"pending": 60}


def test_what_a_poll_had_not_begun_is_asked_for_again_at_once(hub, organization):
    """The next turn may be an hour away."""
    access = organization(users=1)
    hub.onboard(access)
    hub.with_run_parts(is_stopping=StopsAfter(1))
    poller = Poller(hub)
    poll_customer(poller, access.name)

    assert poller.published == [(access.name, "poll", ["projects", "groups"])]
    assert {run.resource for run in hub.overview.runs(access.name)} == {"users"}


def test_a_slice_ends_at_its_next_request_and_nothing_is_lost_or_doubled(hub, organization, sandbox):
    access = organization(users=30)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    hub.with_slice_parts(is_stopping=StopsAfter(5))
    assert hub.deliver(access.name)
    assert 0 < hub.states(access.name)["applied"] < 30

    hub.with_slice_parts(is_stopping=lambda: False)
    hub.deliver_all(access.name)
    assert hub.states(access.name) == {"applied": 30}
    assert len(sandbox.export(access.name)["destination"]["contacts"]) == 30


@pytest.mark.slow
def test_a_poller_in_the_middle_of_a_long_run_stops_within_seconds(hub, organization, sandbox, start_fleet):
    access = organization(users=300)
    sandbox.add_faults(
        {"system": "volunteer", "organization": access.name, "kind": "latency", "seconds": 0.5, "rate": 1.0}
    )
    hub.onboard(access)
    fleet = start_fleet(processors=0)
    wait_until(lambda: hub.states(access.name).get("pending", 0) >= 15, seconds=30, what="the first page")
    pid = fleet.pid("poller1")
    os.kill(pid, signal.SIGTERM)

    wait_until(lambda: fleet.pid("poller1") != pid, seconds=8, what="another poller in its place")
    assert hub.states(access.name)["pending"] < 300
