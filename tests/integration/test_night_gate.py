"""Where a nightly customer's delivery is between its nights: in the real queue, and not hot before the next one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.hub import Hub
from support.nightly import NightRig

from common.domain.clock import ManualClock
from common.limits.memory import MemoryBudget
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from poller.nightly import announce


@pytest.fixture
def rig(engine, servers, redis, organization):
    clock = ManualClock(datetime.now(tz=UTC).replace(microsecond=0))
    hub = Hub(engine=engine, servers=servers, redis=redis, clock=clock, budget=MemoryBudget(clock))
    app = make_app("night-gate", servers.broker_url, log_format="text", log_level="ERROR")
    made = NightRig(hub, clock, hub.onboard(organization(users=1), create="direct"))
    made.queue = Deliveries(app, HotSet(redis), clock, hub.metrics)
    made.parts = replace(made.parts, announce=lambda customer: announce(made.queue, customer))
    yield made
    app.close()
    hub.close()


def take(rig, redis):
    """As a worker: of those that are hot now, a message; False if there is none."""
    hot, name = HotSet(redis), rig.name
    if name not in hot.head(rig.customer.lane, rig.clock.now(), 10) or redis.rpop(f"events.{name}") is None:
        return False
    if redis.llen(f"events.{name}") == 0:
        hot.drop(name, rig.customer.lane)
    rig.deliver(rounds=1)
    return True


def test_a_delivery_between_nights_goes_back_once_and_is_taken_again_when_the_window_opens(rig, redis, sandbox):
    night = rig.whole_night()
    redis.flushdb()
    sandbox.create_user(rig.name)
    rig.hub.poll(rig.name)
    rig.queue.publish(rig.name, rig.customer.lane, by="poll")

    assert take(rig, redis)
    assert redis.llen(f"events.{rig.name}") == 1
    assert HotSet(redis).members(rig.customer.lane) == {rig.name: night.next_at.timestamp()}
    assert not take(rig, redis), "nobody is given it before the next slot"
    assert rig.hub.states(rig.name) == {"applied": 1, "pending": 1}

    rig.clock.advance((night.next_at - rig.clock.now()).total_seconds())
    rig.claim(1)
    assert take(rig, redis), "the night is open, and not at applying: this message is spent"
    assert (rig.hub.states(rig.name)["pending"], redis.llen(f"events.{rig.name}")) == (1, 0)
    for _ in range(4):
        rig.message()
        rig.clock.advance(15)
        if rig.night.phase == "apply":
            break
    assert take(rig, redis), "the night has said that it applies"
    assert rig.hub.states(rig.name) == {"applied": 2}
