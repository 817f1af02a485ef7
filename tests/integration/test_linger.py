"""Less than a batch waits a moment for more, in Redis alone: nothing is taken, nothing is written, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from support.waiting import wait_until

from common.domain.gathering import Linger
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.storage.tables import events
from processor.bootstrap import Processor
from processor.tasks import deliver_to

LONG = Linger(live_seconds=30.0, backfill_seconds=60.0)


@pytest.fixture
def processor(hub, servers, redis):
    app = make_app("linger", servers.broker_url, log_format="text", log_level="ERROR")
    yield Processor(
        clock=hub.clock, metrics=hub.metrics, customers=hub.customers, slice_parts=hub.slice_parts, linger=LONG,
        references=hub.references, nights=hub.nights,
        deliveries=Deliveries(app, HotSet(redis), hub.clock, hub.metrics),
    )  # fmt: skip
    app.close()


@pytest.fixture
def three(hub, organization):
    """A customer with three fresh events of a backfill."""
    access = organization(users=3)
    customer = hub.onboard(access, visibility_seconds=0)
    hub.poll(customer.customer_id)
    return customer


def rows(engine, customer):
    with engine.connect() as connection:
        return connection.execute(select(events).filter_by(customer_id=customer.customer_id)).all()


def test_less_than_a_batch_goes_back_untouched_and_is_served_no_earlier_than_its_time(
    hub, processor, three, redis, engine, sandbox
):
    before = rows(engine, three)
    deliver_to(processor, three.customer_id)

    assert rows(engine, three) == before
    assert redis.llen(f"events.{three.customer_id}") == 1
    at = HotSet(redis).members(three.lane)[three.customer_id]
    assert at - hub.clock.now().timestamp() == pytest.approx(30, abs=5), "looked at again in case a live change joins"
    assert not [entry for entry in sandbox.journal() if (entry["organization"], entry["system"]) == (three.name, "crm")]


def test_a_delivery_of_a_parked_customer_holds_no_worker_and_its_queue_is_left_alone_until_then(
    hub, processor, three, redis, engine
):
    until, before = hub.clock.now() + timedelta(minutes=10), rows(engine, three)
    hub.customers.park(three.customer_id, until, "told to wait")
    HotSet(redis).add(three.lane, three.customer_id)

    deliver_to(replace(processor, linger=Linger(live_seconds=0.0, backfill_seconds=0.0)), three.customer_id)

    assert rows(engine, three) == before
    assert HotSet(redis).members(three.lane)[three.customer_id] == pytest.approx(until.timestamp(), abs=1)


def test_it_is_served_once_the_linger_is_over(hub, processor, three, redis):
    processor = replace(processor, linger=Linger(live_seconds=0.3, backfill_seconds=0.9))
    hot = HotSet(redis)
    hot.add(three.lane, three.customer_id)

    def serve():
        if three.customer_id in hot.head(three.lane, hub.clock.now(), 10):
            deliver_to(processor, three.customer_id)
        return hub.states(three.customer_id) != {"pending": 3}

    wait_until(serve, seconds=5, what="the first request")
    oldest = min(row.detected_at for row in rows(hub.engine, three))
    assert (hub.clock.now() - oldest).total_seconds() >= 0.9
    looks = hub.metrics.registry.get_sample_value("syncfleet_deliveries_published_total", {"by": "linger"})
    assert 1 <= looks <= 3, "it is looked at now and then, not all the time"


def test_a_full_batch_is_served_at_once(hub, processor, organization):
    access = organization(users=6)
    name = hub.onboard(access, batch_size=5).customer_id
    hub.poll(name)
    deliver_to(processor, name)

    assert "submitted" in hub.states(name)


def test_what_comes_again_is_served_at_once(hub, processor, three):
    name = three.customer_id
    hub.deliver_all(name)
    assert hub.states(name) == {"submitted": 3}

    def confirmed():
        deliver_to(processor, name)
        return hub.is_done(name)

    wait_until(confirmed, seconds=20, what="confirmation in spite of the linger")


def test_a_message_that_redis_loses_meanwhile_is_said_again_and_none_is_said_twice(hub, processor, three, redis):
    deliver_to(processor, three.customer_id)
    due = {work.customer_id: three.lane for work in hub.overview.due_work(hub.clock.now())}
    there = processor.deliveries.restore(due, by="sweep")
    redis.flushdb()
    lost = processor.deliveries.restore(due, by="sweep")

    assert due == {three.customer_id: three.lane}
    assert (there, lost) == (0, 1)
    assert redis.llen(f"events.{three.customer_id}") == 1
