"""Throttles and refusals in the running product: real servers, the product's own parts, the sandbox."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from support.hub import Hub
from support.sweeping import sweeping
from support.waiting import wait_until

from common.domain.customers import Tier
from common.domain.errors import BudgetExhausted
from common.domain.limits import Share, destination_policy
from common.domain.throttles import Throttle
from common.storage.throttles import PostgresThrottles


def a_throttle(fraction, *, system="volunteer", lane=None):
    return Throttle(system=system, lane=lane, fraction=fraction, actor="ops", set_at=datetime.now(tz=UTC))


@pytest.fixture
def throttle(hub):
    """As `fleet throttle` does."""
    table = PostgresThrottles(hub.engine)

    def say(*args, **options):
        table.set(a_throttle(*args, **options))
        table.tell(hub.budget.obey)

    return say


def requests(sandbox, name, system):
    return sum(entry["system"] == system and entry["organization"] == name for entry in sandbox.journal())


def test_a_stopped_system_gets_no_request_until_the_throttle_is_lifted(hub, organization, sandbox, throttle):
    access = organization(users=3)
    hub.onboard(access)
    throttle(0.0)
    hub.poll(access.name)
    stopped = requests(sandbox, access.name, "volunteer")
    throttle(1.0)
    hub.customers.resume(access.name)
    hub.poll(access.name)

    assert stopped == 0
    assert hub.states(access.name) == {"pending": 3}


def test_a_throttle_of_a_lane_holds_the_customers_of_that_lane_alone(hub, organization, sandbox, throttle):
    basic, premium = organization(users=3), organization(users=3)
    hub.onboard(basic, tier=Tier.BASIC)
    hub.onboard(premium, tier=Tier.PREMIUM)
    throttle(0.0, lane="background")
    throttle(0.0, system="crm_plus", lane="priority")
    for access in (basic, premium):
        hub.poll(access.name)
        hub.deliver(access.name)

    assert requests(sandbox, basic.name, "volunteer") == 0
    assert requests(sandbox, premium.name, "volunteer") > 0
    assert requests(sandbox, premium.name, "crm") == 0


def test_the_sweep_tells_again_what_redis_lost(hub, servers, organization, sandbox, throttle):
    access = organization(users=3)
    hub.onboard(access)
    throttle(0.0)
    hub.redis.flushdb()
    with sweeping(servers) as sweep:
        sweep()
    hub.poll(access.name)

    assert hub.redis.hgetall("throttles") == {b"volunteer:": b"0.0"}
    assert requests(sandbox, access.name, "volunteer") == 0


def test_after_a_429_no_other_worker_asks_for_that_customer_until_then(hub, organization, sandbox):
    access = organization(users=3)
    customer = hub.onboard(access, create="direct")
    hub.poll(access.name)
    sandbox.add_faults(
        {"system": "crm", "organization": access.name, "kind": "rate_limit", "retry_after_seconds": 600, "rate": 1.0}
    )
    hub.deliver(access.name)
    sandbox.clear_faults()
    sent = requests(sandbox, access.name, "crm")
    with closing(Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=2)) as other:
        other.deliver(access.name)
        policy = destination_policy("crm_plus", 100_000, lane=customer.lane)
        with pytest.raises(BudgetExhausted) as raised:
            other.budget.acquire(access.name, policy, Share.LIVE)

    assert sent > 0
    assert requests(sandbox, access.name, "crm") == sent
    assert timedelta(seconds=580) < raised.value.until - datetime.now(tz=UTC) <= timedelta(seconds=600)


def test_an_older_list_of_throttles_never_comes_after_a_newer_one(hub):
    """The sweep has read the table; a person's word comes before the sweep has told what it read."""
    table, told = PostgresThrottles(hub.engine), []
    table.set(a_throttle(1.0))

    def note(throttles):
        told.append(throttles[0].fraction)

    person = Thread(target=table.tell, args=(note,))

    def slow(throttles):
        table.set(a_throttle(0.0))
        person.start()
        wait_until(lambda: told or waiting(hub.engine), seconds=10, what="the person's turn")
        note(throttles)

    table.tell(slow)
    person.join()

    assert told == [1.0, 0.0]


def waiting(engine):
    """Sessions that wait for an advisory lock."""
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return connection.exec_driver_sql(query).scalar_one()
