"""Which customers have messages and may be served, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import fakeredis
import pytest

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


def soon(seconds=0.0):
    """The scripts run on the server's clock, which is the machine's."""
    return datetime.now(tz=UTC) + timedelta(seconds=seconds)


def test_those_who_wait_longest_come_first_and_no_more_than_asked_for(hot):
    for customer_id in ["c", "a", "b"]:
        hot.add(LANE, customer_id)

    assert hot.head(LANE, soon(9), 2) == ["c", "a"]
    assert hot.size(LANE) == 3


def test_adding_again_keeps_the_earlier_turn(hot):
    for customer_id in ["a", "b", "a"]:
        hot.add(LANE, customer_id)

    assert hot.head(LANE, soon(9), 9) == ["a", "b"]


def test_a_parked_customer_is_not_served_before_its_moment(hot):
    hot.add(LANE, "a")
    hot.park(LANE, "a", soon(60))

    assert hot.head(LANE, soon(59), 9) == []
    assert hot.head(LANE, soon(61), 9) == ["a"]


def test_publishing_does_not_wake_who_is_parked(hot, client):
    hot.park(LANE, "a", soon(60))
    hot.add(LANE, "a")

    assert hot.head(LANE, soon(), 9) == []
    assert not client.exists("bell:standard")


def test_the_later_of_two_parkings_holds(hot):
    hot.park(LANE, "a", soon(60))
    hot.park(LANE, "a", soon(5))

    assert hot.head(LANE, soon(30), 9) == []


def test_who_is_made_due_is_served_whatever_parking_redis_knows(hot):
    hot.park(LANE, "a", soon(60))
    hot.make_due(LANE, "a")

    assert hot.head(LANE, soon(1), 9) == ["a"]


def test_being_made_due_again_costs_nobody_its_place(hot):
    hot.add(LANE, "a")
    hot.add(LANE, "b")
    hot.make_due(LANE, "a")

    assert hot.head(LANE, soon(9), 9) == ["a", "b"]


def test_the_bell_holds_few_rings_and_falls_silent(hot, client):
    for number in range(100):
        hot.add(LANE, f"c{number}")

    assert client.llen("bell:standard") == 32
    assert 0 < client.ttl("bell:standard") <= 2


def test_lanes_do_not_meet(hot):
    hot.add(Lane.PRIORITY, "a")

    assert hot.head(Lane.BACKGROUND, soon(1), 9) == []


def test_a_customer_that_changes_its_lane_keeps_its_place_in_the_line(hot, client):
    client.lpush("events.a", b"{}")
    hot.add(LANE, "a")
    hot.add(Lane.PRIORITY, "later")

    assert hot.move("a", LANE, Lane.PRIORITY)
    assert hot.head(Lane.PRIORITY, soon(9), 9) == ["a", "later"]
    assert hot.size(LANE) == 0
    assert client.llen("events.a") == 1


def test_a_parking_moves_with_the_customer(hot):
    hot.park(LANE, "a", soon(60))
    hot.move("a", LANE, Lane.PRIORITY)

    assert hot.head(Lane.PRIORITY, soon(30), 9) == []
    assert hot.head(Lane.PRIORITY, soon(90), 9) == ["a"]


def test_moving_a_stranger_or_nowhere_changes_nothing(hot):
    hot.add(LANE, "a")

    assert not hot.move("stranger", LANE, Lane.PRIORITY)
    assert not hot.move("a", LANE, LANE)
    assert hot.head(LANE, soon(9), 9) == ["a"]


def test_who_is_forgotten_leaves_with_its_queue(hot, client):
    client.lpush("events.a", b"{}", b"{}")
    hot.add(LANE, "a")

    assert hot.forget("a", LANE) == 2
    assert hot.size(LANE) == 0
    assert not client.exists("events.a")


def test_depths_count_each_customers_messages(hot, client):
    client.lpush("events.a", b"{}", b"{}")

    assert hot.depths(["a", "b"]) == {"a": 2, "b": 0}
    assert hot.depths([]) == {}
