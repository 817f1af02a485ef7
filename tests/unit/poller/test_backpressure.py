from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from common.domain.backlog import BacklogLimits
from common.domain.clock import ManualClock
from common.domain.errors import BacklogFull
from common.metrics.catalogue import Metrics
from poller.backpressure import ASK_AGAIN_SECONDS, Backpressure


class CountedBacklog:
    """Says what it is told, and how often it was asked."""

    def __init__(self):
        self.open, self.asked = 0, Counter()

    def open_events(self, customer_id, at_most):
        self.asked[customer_id] += 1
        return min(self.open, at_most)


@pytest.fixture
def backlog():
    return CountedBacklog()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def watch(backlog, clock):
    limits = BacklogLimits(backfill=10, poll=20)
    metrics = Metrics(CollectorRegistry())
    return Backpressure(backlog=backlog, limits=limits, clock=clock, metrics=metrics).watch("acme")


def test_while_there_is_room_a_slice_asks_once_in_a_while_and_not_for_each_page(watch, backlog, clock):
    for _ in range(50):
        watch.check("poll")
        clock.advance(ASK_AGAIN_SECONDS / 25)

    assert backlog.asked["acme"] == 2


def test_what_a_slice_adds_itself_counts_at_once(watch, backlog):
    watch.check("backfill")
    backlog.open = 10
    watch.add(10)

    with pytest.raises(BacklogFull, match="10 or more"):
        watch.check("backfill")


def test_each_origin_has_its_own_limit(watch, backlog):
    backlog.open = 12
    watch.check("poll")

    with pytest.raises(BacklogFull, match="10 or more"):
        watch.check("backfill")


def test_what_others_add_is_seen_when_it_is_asked_for_again(watch, backlog, clock):
    watch.check("backfill")
    backlog.open = 10
    clock.advance(ASK_AGAIN_SECONDS)

    with pytest.raises(BacklogFull):
        watch.check("backfill")


def test_room_that_a_slice_has_used_up_is_asked_for_again_for_some_may_be_applied_by_then(watch, backlog):
    watch.check("backfill")
    watch.add(10)
    watch.check("backfill")

    assert backlog.asked["acme"] == 2
