"""A worker serves the lanes it was started for, and a customer's work follows it to another lane."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.waiting import wait_until

from common.domain.customers import Lane, Tier
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from deploy.local.child import ProcessSpec

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture
def start_lane(start_fleet):
    """A fleet without processors, to which processors of one lane are added."""
    fleet = start_fleet(processors=0)
    model = next(w.child.spec for w in fleet.supervisor._watched if w.child.spec.name == "poller1")

    def start(lane: Lane):
        argv = [part.replace("poller", "processor") for part in model.argv]
        name = f"processor-{lane}"
        fleet.supervisor.start(
            ProcessSpec(
                name=name,
                argv=[*argv, "--lane", lane],
                env=model.env,
                log_path=fleet.state_dir / "logs" / f"{name}.log",
            )
        )
        return fleet

    return start


def test_a_worker_started_for_one_lane_leaves_the_others_alone(hub, organization, start_lane):
    premium = hub.onboard(organization(users=3), tier=Tier.PREMIUM).customer_id
    basic = hub.onboard(organization(users=3), tier=Tier.BASIC).customer_id
    start_lane(Lane.PRIORITY)
    wait_until(lambda: hub.applied(premium) == 3, seconds=30, what="the premium customer's contacts")
    wait_until(lambda: hub.states(basic).get("pending", 0) >= 3, seconds=30, what="the basic customer's events")

    start_lane(Lane.BACKGROUND)
    wait_until(lambda: hub.applied(basic) == 3, seconds=30, what="the basic customer's contacts")


def test_work_that_was_queued_in_one_lane_is_done_in_the_other(hub, organization, start_lane, redis):
    customer = hub.onboard(organization(users=3), tier=Tier.BASIC)
    name = customer.customer_id
    start_lane(Lane.PRIORITY)
    hot = HotSet(redis)
    wait_until(lambda: hot.size(Lane.BACKGROUND) == 1, seconds=30, what="queued work in the old lane")

    hub.customers.change(replace(customer, tier=Tier.PREMIUM, lane=Lane.PRIORITY))
    hot.move(name, Lane.BACKGROUND, Lane.PRIORITY)
    wait_until(lambda: hub.applied(name) == 3, seconds=30, what="the contacts")
    wait_until(lambda: hot.size(Lane.BACKGROUND) == 0, seconds=40, what="an empty old lane")


def test_a_customer_left_behind_in_its_old_lane_is_brought_along(hub, redis):
    """Killed between the change of the lane and the move in Redis."""
    hot = HotSet(redis)
    redis.lpush("events.acme", b"{}")
    hot.add(Lane.BACKGROUND, "acme")
    deliveries = Deliveries(None, hot, hub.clock, hub.metrics)

    assert deliveries.repair({"acme": Lane.PRIORITY}) == 1
    assert (hot.size(Lane.BACKGROUND), hot.size(Lane.PRIORITY)) == (0, 1)
    assert deliveries.repair({"acme": Lane.PRIORITY}) == 0


def test_a_message_that_was_given_back_to_a_cold_queue_is_found(hub, redis):
    """kombu restores a dead worker's message to its list, and knows nothing of the hot set."""
    hot = HotSet(redis)
    redis.lpush("events.acme", b"{}")

    assert Deliveries(None, hot, hub.clock, hub.metrics).repair({"acme": Lane.STANDARD, "other": Lane.STANDARD}) == 1
    assert set(hot.members(Lane.STANDARD)) == {"acme"}


def test_who_is_no_customer_any_more_leaves_the_hot_set(hub, redis):
    hot = HotSet(redis)
    hot.add(Lane.STANDARD, "gone")

    assert Deliveries(None, hot, hub.clock, hub.metrics).repair({}) == 1
    assert hot.size(Lane.STANDARD) == 0


def test_a_broken_broker_connection_is_made_anew_and_new_customers_are_served_after_it(
    hub, organization, start_fleet, redis
):
    start_fleet(processors=1)
    first = hub.onboard(organization(users=3)).customer_id
    wait_until(lambda: hub.applied(first) == 3, seconds=30, what="the first customer's contacts")
    for _ in range(3):
        redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    second = hub.onboard(organization(users=3)).customer_id

    wait_until(lambda: hub.applied(second) == 3, seconds=30, what="the second customer's contacts")


def test_the_sweep_writes_only_what_is_wrong(hub, organization, redis):
    """Who waits keeps its place, who has no message gets one, and who is parked by mistake is freed."""
    app = make_app("sweep", hub.servers.broker_url, log_format="text", log_level="ERROR")
    hot = HotSet(redis)
    redis.lpush("events.waiting", b"{}")
    hot.add(Lane.STANDARD, "waiting")
    place = hot.members(Lane.STANDARD)["waiting"]
    redis.lpush("events.parked", b"{}")
    hot.park(Lane.STANDARD, "parked", hub.clock.now() + timedelta(hours=20))
    due = dict.fromkeys(["waiting", "parked", "forgotten"], Lane.STANDARD)

    assert Deliveries(app, hot, hub.clock, hub.metrics).restore(due, by="sweep") == 1
    app.close()
    assert hot.depths(due) == {"waiting": 1, "parked": 1, "forgotten": 1}
    assert hot.members(Lane.STANDARD)["waiting"] == place
    assert set(hot.head(Lane.STANDARD, hub.clock.now() + timedelta(seconds=1), 9)) == set(due)
