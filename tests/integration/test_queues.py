"""What operators see of the queues: ordinary lists, one per customer, cold ones too."""

from __future__ import annotations

import httpx
import pytest
from support.waiting import wait_until

from common.queueing.hot_set import HotSet
from deploy.local.ports import free_port

pytestmark = pytest.mark.slow


def test_flower_shows_every_customers_queue_also_the_cold_ones(hub, organization, start_fleet):
    names = sorted(hub.onboard(organization(users=1), visibility_seconds=1).customer_id for _ in range(3))
    hub.customers.pause(names[0], "cold on purpose")
    port = free_port()
    start_fleet(processors=1, flower_port=port)

    def shown() -> set[str]:
        page = httpx.get(f"http://127.0.0.1:{port}/workers?refresh=1", timeout=20)
        broker = httpx.get(f"http://127.0.0.1:{port}/broker", timeout=20)
        return {name for name in names if f"events.{name}" in broker.text and page.status_code == 200}

    wait_until(lambda: shown() == set(names), seconds=60, what="all queues in Flower")


def test_a_customer_without_messages_is_not_hot(hub, organization, start_fleet, redis):
    access = organization(users=3)
    hub.onboard(access, visibility_seconds=1)
    start_fleet(processors=1)
    wait_until(lambda: hub.applied(access.name) == 3, seconds=30, what="the contacts")

    hot = HotSet(redis)
    wait_until(lambda: hot.size("priority") == 0, seconds=10, what="an empty hot set")


def test_the_broker_holds_nothing_for_a_customer_but_its_queue(hub, organization, start_fleet, redis):
    """No binding keys: a publish is one push, whatever the number of customers."""
    for _ in range(3):
        hub.onboard(organization(users=2), visibility_seconds=1)
    start_fleet(processors=1)
    wait_until(lambda: all(hub.is_done(c.customer_id) for c in hub.customers.all()), seconds=30, what="all applied")

    keys = {key.decode() for key in redis.scan_iter()}
    assert not {key for key in keys if key.startswith("_kombu.binding.events")}
