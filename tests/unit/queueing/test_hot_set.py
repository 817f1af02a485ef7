"""Which customers a worker should consume, and in which order."""

from __future__ import annotations

import fakeredis
import pytest
from support.builders import NOW, after

from common.domain.customers import Lane
from common.queueing.hot_set import HotSet

LANE = Lane.STANDARD


@pytest.fixture
def client():
    with fakeredis.FakeStrictRedis() as client:
        yield client


@pytest.fixture
def hot(client):
    return HotSet(client)


def push(client, customer_id, count=1):
    for _ in range(count):
        client.lpush(f"events.{customer_id}", b"{}")


def test_those_who_wait_longest_come_first_and_no_more_than_asked_for(hot):
    for seconds, customer_id in enumerate(["c", "a", "b"]):
        hot.add(LANE, customer_id, after(seconds))

    assert hot.head(LANE, after(9), 2) == ["c", "a"]
    assert hot.size(LANE) == 3


def test_adding_again_keeps_the_earlier_turn(hot):
    hot.add(LANE, "a", NOW)
    hot.add(LANE, "b", after(1))
    hot.add(LANE, "a", after(5))

    assert hot.head(LANE, after(9), 9) == ["a", "b"]


def test_a_parked_customer_is_not_served_before_its_moment(hot):
    hot.add(LANE, "a", NOW)
    hot.park(LANE, "a", after(60))

    assert hot.head(LANE, after(59), 9) == []
    assert hot.head(LANE, after(60), 9) == ["a"]


def test_publishing_does_not_wake_who_is_parked(hot):
    hot.park(LANE, "a", after(60))
    hot.add(LANE, "a", NOW)

    assert hot.head(LANE, after(59), 9) == []


def test_the_later_of_two_parkings_holds(hot):
    hot.park(LANE, "a", after(60))
    hot.park(LANE, "a", after(5))

    assert hot.head(LANE, after(59), 9) == []


def test_who_is_unparked_is_served_at_once_and_a_stranger_is_not_added(hot):
    hot.park(LANE, "a", after(60))
    hot.unpark(LANE, "a", NOW)
    hot.unpark(LANE, "stranger", NOW)

    assert hot.head(LANE, NOW, 9) == ["a"]


def test_an_empty_queue_leaves_the_set(hot):
    hot.add(LANE, "a", NOW)
    hot.settle(LANE, "a", after(1))

    assert hot.size(LANE) == 0


def test_one_with_more_goes_to_the_end_of_the_line(hot, client):
    push(client, "a")
    hot.add(LANE, "a", NOW)
    hot.add(LANE, "b", after(1))
    hot.settle(LANE, "a", after(2))

    assert hot.head(LANE, after(9), 9) == ["b", "a"]


def test_settling_does_not_wake_who_was_parked_meanwhile(hot, client):
    push(client, "a")
    hot.add(LANE, "a", NOW)
    hot.park(LANE, "a", after(60))
    hot.settle(LANE, "a", after(1))

    assert hot.head(LANE, after(59), 9) == []


def test_everybody_gets_a_turn_however_many_are_hot(hot, client):
    customers = [f"c{number}" for number in range(20)]
    for customer_id in customers:
        push(client, customer_id, 3)
        hot.add(LANE, customer_id, NOW)
    served = []
    for second in range(1, 21):
        (first,) = hot.head(LANE, after(second), 1)
        served.append(first)
        hot.settle(LANE, first, after(second))

    assert sorted(served) == sorted(customers)


def test_lanes_do_not_meet(hot):
    hot.add(Lane.PRIORITY, "a", NOW)

    assert hot.head(Lane.BACKGROUND, NOW, 9) == []


def test_depths_count_each_customers_messages(hot, client):
    push(client, "a", 2)

    assert hot.depths(["a", "b"]) == {"a": 2, "b": 0}
    assert hot.depths([]) == {}
