"""Breakers, blocked credentials, failed runs and backpressure on real servers and the sandbox's faults."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import ClassVar

import pytest
from support.hub import Hub
from support.waiting import wait_until

from common.domain.backlog import BacklogLimits
from common.domain.breakers import BreakerPolicy, BreakerState
from common.domain.clock import ManualClock, SystemClock
from common.domain.customers import System
from common.domain.errors import PageUnreadable
from common.domain.resources import USERS
from common.domain.sources import ResourceTerms, Style
from common.queueing.asked import Asked
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.queueing.polls import Polls
from poller.announcing import Announcement
from poller.resting import end_pauses
from poller.runs import FAILURES_BEFORE_GIVING_UP
from poller.sweep import sweep

QUICK = BreakerPolicy(first_seconds=0.3)


@pytest.fixture
def quick(engine, servers, redis):
    """Two workers whose breakers open for less than a second."""
    hubs = [
        Hub(engine=engine, servers=servers, redis=redis, seed=seed, breaker_policy=QUICK, slice_events=2)
        for seed in (1, 2)
    ]
    with closing(hubs[0]), closing(hubs[1]):
        yield hubs


def requests_to(sandbox, name, system):
    return [row for row in sandbox.journal() if row["organization"] == name and row["system"] == system]


def is_open(hub, name, system):
    breaker = hub.breakers.of(name).get(system)
    return breaker is not None and breaker.state is BreakerState.OPEN


def test_an_outage_of_the_destination_opens_after_five_and_one_worker_finds_out_that_it_is_over(
    quick, organization, sandbox
):
    first, second = quick
    access = organization(users=40)
    first.onboard(access, create="direct")
    first.poll(access.name)
    (fault,) = sandbox.add_faults({"system": "crm", "organization": access.name, "kind": "error", "status": 503})
    wait_until(
        lambda: first.deliver(access.name) and is_open(first, access.name, System.DESTINATION), seconds=30, what="open"
    )
    refused = len(requests_to(sandbox, access.name, "crm"))
    assert refused == 5

    customer = first.customers.get(access.name)
    assert customer.parked_until >= first.breakers.of(access.name)[System.DESTINATION].probe_at
    assert first.overview.due_work(customer.parked_until - timedelta(milliseconds=1)) == []
    sandbox.remove_fault(fault)
    sandbox.add_faults(
        {"system": "crm", "organization": access.name, "kind": "latency", "seconds": 0.4, "rate": 1.0, "id": "slow"}
    )
    wait_until(lambda: not first.customers.get(access.name).is_parked(first.clock.now()), seconds=5, what="the probe")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda hub: hub.deliver(access.name), quick))

    probe, *others = requests_to(sandbox, access.name, "crm")[refused:]
    early = [each for each in others if each["started_at"] < probe["started_at"] + 0.4]
    assert early == [], "one probe from two workers at once"
    assert first.breakers.of(access.name) == {}
    sandbox.clear_faults()
    # Whoever came second waits a moment; then all goes on.
    wait_until(lambda: second.deliver_all(access.name) or second.is_done(access.name), seconds=20, what="all applied")
    assert first.states(access.name) == {"applied": 40}


def test_a_healthy_customer_is_served_while_eight_destinations_hang(engine, servers, redis, organization, sandbox):
    """Each hangs for a deadline a slice, five times, and then costs nothing."""
    with closing(Hub(engine=engine, servers=servers, redis=redis, http_deadline_seconds=0.2)) as hub:
        hanging, healthy = [organization(users=3) for _ in range(8)], organization(users=3)
        for access in (*hanging, healthy):
            hub.onboard(access, create="direct")
            hub.poll(access.name)
        for access in hanging:
            sandbox.add_faults(
                {"system": "crm", "organization": access.name, "kind": "latency", "seconds": 1.0, "rate": 1.0}
            )

        def turns():
            """One of each in turn, as the hot set gives them."""
            for access in hanging:
                hub.deliver(access.name)
            return all(is_open(hub, access.name, System.DESTINATION) for access in hanging)

        wait_until(turns, seconds=60, what="eight breakers")
        asked = {access.name: len(requests_to(sandbox, access.name, "crm")) for access in hanging}
        started = hub.clock.monotonic()
        turns()
        hub.deliver_all(healthy.name)
        took = hub.clock.monotonic() - started

        assert hub.states(healthy.name) == {"applied": 3}
        assert took < 1.5, "no hung destination was asked meanwhile"
        assert {access.name: len(requests_to(sandbox, access.name, "crm")) for access in hanging} == asked


def test_an_outage_of_the_source_puts_the_run_off_and_it_goes_on_where_it_was(hub, organization, sandbox):
    access = organization(users=60)
    hub.onboard(access)
    sandbox.add_faults(
        {"system": "volunteer", "organization": access.name, "kind": "script", "script": [200, 200, *[503] * 6]}
    )
    states = []
    for _ in range(7):
        states.append(hub.poll(access.name))
        # A person does not want to wait for the backoff, nor for the probe's time.
        hub.breakers.retry(access.name, hub.clock.now())
        hub.customers.resume(access.name)

    assert states == ["continued"] * 6 + ["completed"]
    (report,) = hub.overview.runs(access.name)
    assert (report.state, report.counts.pages) == ("completed", 4)
    assert hub.breakers.of(access.name) == {}
    assert hub.customers.get(access.name).is_active


def test_a_rejected_token_at_the_source_stops_polling_and_what_was_detected_is_still_applied(
    hub, organization, sandbox
):
    access = organization(users=3)
    hub.onboard(access)
    hub.poll(access.name)
    sandbox.change_organization(access.name, volunteer_token_valid=False)
    assert hub.poll(access.name) == "continued"
    asked = len(requests_to(sandbox, access.name, "volunteer"))
    for _ in range(3):
        hub.poll(access.name)

    assert len(requests_to(sandbox, access.name, "volunteer")) == asked
    assert hub.overview.due_runs(hub.clock.now() + timedelta(days=1)) == []
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="all applied")
    assert hub.states(access.name) == {"applied": 3}

    sandbox.change_organization(access.name, volunteer_token_valid=True)
    hub.breakers.unblock(access.name, System.SOURCE)
    assert [due.customer_id for due in hub.overview.due_runs(hub.clock.now())] == [access.name]
    assert hub.poll(access.name) == "completed"


def test_a_rejected_token_at_the_destination_costs_no_message_while_polling_goes_on(hub, organization, sandbox):
    access = organization(users=3)
    customer = hub.onboard(access)
    app = make_app("test", hub.servers.broker_url, log_format="json", log_level="INFO")
    hot_set = HotSet(hub.redis)
    deliveries = Deliveries(app, hot_set, hub.clock, hub.metrics)
    hub.with_run_parts(publish=Announcement(deliveries=deliveries, breakers=hub.breakers))
    hub.poll(access.name)
    sandbox.change_organization(access.name, crm_token_valid=False)
    assert not hub.deliver(access.name)
    hot_set.forget(access.name, customer.lane)

    sandbox.create_user(access.name)
    wait_until(lambda: hub.poll(access.name) and sum(hub.states(access.name).values()) == 4, seconds=10, what="a poll")
    sweep(hub.overview, deliveries, Polls(app), Asked(hub.redis), hub.clock)

    assert hot_set.depths([access.name]) == {access.name: 0}
    assert hub.customers.get(access.name).is_active
    hub.breakers.unblock(access.name, System.DESTINATION)
    sweep(hub.overview, deliveries, Polls(app), Asked(hub.redis), hub.clock)
    assert hot_set.depths([access.name]) == {access.name: 1}


def test_three_failed_runs_pause_for_a_day_that_ends_by_itself_or_by_hand(engine, servers, redis, organization):
    clock = ManualClock(SystemClock().now())
    with closing(Hub(engine=engine, servers=servers, redis=redis, clock=clock)) as hub:
        access = organization(users=3)
        hub.onboard(access)
        hub.with_run_parts(open_source=lambda *_: Unreadable())
        fail_runs(hub, access.name, 3)
        paused = hub.customers.get(access.name)
        assert (paused.status, paused.paused_until) == ("paused", clock.now() + timedelta(hours=24))

        polls = Polls(make_app("test", servers.broker_url, log_format="json", log_level="INFO"))
        clock.advance(86_399)
        assert end_pauses(hub.customers, polls, clock.now()) == 0
        clock.advance(1)
        assert end_pauses(hub.customers, polls, clock.now()) == 1
        assert redis.llen("poll.priority") == 1
        assert hub.customers.get(access.name).is_active

        fail_runs(hub, access.name, 2)
        assert hub.customers.get(access.name).is_active, "the count began anew"
        fail_runs(hub, access.name, 1)
        hub.customers.resume(access.name)
        resumed = hub.customers.get(access.name)
        assert (resumed.is_active, resumed.paused_until) == (True, None)
        fail_runs(hub, access.name, 2)
        assert hub.customers.get(access.name).is_active


class Unreadable:
    terms: ClassVar = {USERS: ResourceTerms(style=Style.MODIFIED)}

    def page(self, _query):
        raise PageUnreadable("not a page")


def fail_runs(hub, name, times):
    for _ in range(times):
        for _ in range(FAILURES_BEFORE_GIVING_UP):
            hub.clock.advance(700)
            hub.poll(name)


def test_a_backfill_stops_at_its_limit_while_the_destination_is_down_and_goes_on_by_itself(hub, organization, sandbox):
    access = organization(users=60)
    hub.onboard(access)
    hub.with_run_parts(backpressure=hub.backpressure(BacklogLimits(backfill=30, poll=100)))
    assert hub.poll(access.name) == "continued"
    assert hub.states(access.name) == {"pending": 30}
    (report,) = hub.overview.runs(access.name)
    assert "backpressure: 30 or more events wait to be applied" in report.error

    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="room")
    hub.customers.resume(access.name)
    assert hub.poll(access.name) == "completed"
    assert sum(hub.states(access.name).values()) == 60
