"""Who is served next: by turns over the whole fleet, weighted by lane, and never the same message twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from queue import Empty

import pytest
from support.waiting import wait_until

from common.domain.customers import Lane
from common.queueing.celery_app import make_app, plain_queue
from common.queueing.hot_set import HotSet
from common.queueing.names import DELIVER, events_queue, lane_queue
from common.queueing.transport import TRANSPORT

LANES = (Lane.STANDARD,)


class Worker:
    """The consuming side of a worker, by hand: takes one message at a time and acknowledges when told."""

    def __init__(self, broker_url, *, lanes=LANES, prefetch=100, slots=100, besides=()):
        self._app = make_app("turns", broker_url, log_format="text", log_level="ERROR", customer_slots=slots)
        self._app.conf.broker_transport = TRANSPORT
        self.connection = self._app.connection_for_read()
        self.channel = self.connection.channel()
        self.channel.basic_qos(0, prefetch, False)
        self.taken = []
        for name in [*map(lane_queue, lanes), *besides]:
            self.channel.basic_consume(name, no_ack=False, callback=self._on_message, consumer_tag=name)

    def _on_message(self, raw):
        self.taken.append(self.channel.message_to_python(raw))

    def take(self):
        """The customer of the next message, or None if there is none now."""
        before = len(self.taken)
        for _ in range(3):  # a look, a wait for the bell, a look
            with suppress(Empty, OSError):
                self.connection.transport.drain_events(self.connection.connection, timeout=0.05)
            if len(self.taken) > before:
                return self.taken[-1].delivery_info["routing_key"].removeprefix("events.")
        return None

    def take_all(self, count):
        return [self.take_now() for _ in range(count)]

    def take_now(self):
        return wait_until(self.take, seconds=5, what="a message")

    def ack_all(self):
        while self.taken:
            self.taken.pop().ack()

    def close(self):
        self.connection.close()


@pytest.fixture
def worker(servers, redis):
    opened = []

    def start(**options):
        opened.append(Worker(servers.broker_url, **options))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture
def publish(servers, redis):
    hot = HotSet(redis)
    app = make_app("publisher", servers.broker_url, log_format="text", log_level="ERROR")

    def put(customer_id, count=1, lane=Lane.STANDARD):
        for _ in range(count):
            app.send_task(DELIVER, kwargs={"customer_id": customer_id}, queue=plain_queue(events_queue(customer_id)))
        hot.add(lane, customer_id)

    yield put
    app.close()


def test_everybody_gets_a_turn_before_anybody_gets_a_second(worker, publish):
    names = [f"c{number}" for number in range(30)]
    for name in names:
        publish(name, 3)
    served = worker().take_all(90)

    assert [sorted(served[start : start + 30]) for start in (0, 30, 60)] == [sorted(names)] * 3


def test_turns_are_those_of_the_fleet_not_of_a_worker(worker, publish):
    for name in "abcdef":
        publish(name, 2)
    first, second = worker(), worker()
    served = [each.take_now() for _ in range(6) for each in (first, second)]

    assert sorted(served[:6]) == list("abcdef")
    assert sorted(served[6:]) == list("abcdef")


def test_a_flood_does_not_delay_who_comes_after_it(worker, publish):
    publish("flood", 200)
    hub = worker()
    hub.take_all(5)
    publish("quiet")

    assert "quiet" in hub.take_all(2)


def test_under_load_turns_come_in_proportion_to_the_weights_and_nobody_starves(worker, publish):
    for number in range(5):
        publish(f"premium-{number}", 100, Lane.PRIORITY)
        publish(f"basic-{number}", 100, Lane.BACKGROUND)
    hub = worker(lanes=tuple(Lane), prefetch=0)
    hub.take_all(30)  # the first round is by arrival
    served = [name.split("-")[0] for name in hub.take_all(250)]

    assert 3 < Counter(served)["premium"] / Counter(served)["basic"] < 5
    gaps = [place for place, tier in enumerate(served) if tier == "basic"]
    assert max(b - a for a, b in pairwise(gaps)) < 60


def test_a_parked_customer_costs_no_pop_and_is_served_when_its_time_has_come(worker, publish, redis):
    publish("parked", 2)
    HotSet(redis).park(Lane.STANDARD, "parked", datetime.now(tz=UTC) + timedelta(seconds=1))
    hub = worker()

    assert hub.take() is None
    assert redis.llen("events.parked") == 2
    assert hub.take_now() == "parked"


def test_who_has_its_share_of_slots_is_passed_by_until_one_is_free(worker, publish):
    publish("slow", 5)
    publish("other")
    hub = worker(slots=2)

    assert sorted(hub.take_all(3)) == ["other", "slow", "slow"]
    assert hub.take() is None
    hub.ack_all()
    assert hub.take_now() == "slow"


def test_an_empty_queue_leaves_the_hot_set(worker, publish, redis):
    publish("a")
    HotSet(redis).add(Lane.STANDARD, "nothing")
    hub = worker()
    hub.take_now()
    hub.take()

    assert HotSet(redis).size(Lane.STANDARD) == 0


def test_what_is_popped_is_noted_as_unacknowledged_in_the_same_instant(worker, publish, redis):
    """A worker killed as soon as the server has popped has not lost it: nothing reads the reply here."""
    publish("a")
    hub = worker()
    hub.connection.transport.cycle._register_BRPOP(hub.channel)
    wait_until(lambda: redis.llen("events.a") == 0, seconds=5, what="the pop")

    assert redis.hlen("unacked") == redis.zcard("unacked_index") == 1
    hub.channel.qos.__dict__["visibility_timeout"] = -1
    hub.channel.qos.restore_visible(num=10, interval=1)
    assert redis.llen("events.a") == 1


def test_an_acknowledged_message_leaves_nothing_behind(worker, publish, redis):
    publish("a")
    hub = worker()
    hub.take_now()
    assert redis.hlen("unacked") == 1
    hub.ack_all()

    assert not redis.exists("unacked", "unacked_index", "events.a")


def test_a_worker_that_stops_gives_back_what_it_has_not_done(worker, publish, redis):
    publish("a", 3)
    hub = worker()
    hub.take_all(2)
    hub.close()

    assert redis.llen("events.a") == 3
    assert redis.hlen("unacked") == 0


def test_what_nobody_can_read_is_put_aside_and_stops_nobody(worker, publish, redis):
    redis.lpush("events.a", b"no message", b"[1]", b'{"properties": {}}')
    publish("a")
    publish("b")
    hub = worker()

    assert sorted(hub.take_all(2)) == ["a", "b"]
    assert redis.llen("unreadable") == 3


def test_a_restarted_redis_that_has_forgotten_the_script_is_told_again(worker, publish, redis):
    publish("a", 2)
    hub = worker()
    hub.take_now()
    redis.script_flush()

    assert hub.take_now() == "a"


def test_a_plain_queue_beside_the_lanes_is_served_too(worker, publish, servers):
    app = make_app("publisher", servers.broker_url, log_format="text", log_level="ERROR")
    app.send_task("other", queue=plain_queue("plain"))
    app.close()

    assert worker(besides=["plain"]).take_now() == "plain"


def test_a_worker_without_lanes_consumes_as_any_other(worker, servers):
    app = make_app("publisher", servers.broker_url, log_format="text", log_level="ERROR")
    app.send_task("other", queue=plain_queue("plain"))
    app.close()

    assert worker(lanes=(), besides=["plain"]).take_now() == "plain"
