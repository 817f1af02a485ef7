"""The sweep feeds batches, and tells the workers what there is to do."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from support.builders import NOW, a_broken_record, a_customer, a_page, a_record

from common.domain.batches import NewBatch
from common.domain.clock import ManualClock
from common.domain.runs import RunState
from common.storage.memory.batches import MemoryBatches
from common.storage.memory.customers import MemoryCustomerStore
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.tables import MemoryTables
from poller.feeding import feed_batches


class Told:
    """Implements what feeding uses of `Deliveries` and `Polls`."""

    def __init__(self):
        self.told = []

    def publish(self, customer_id, lane, **_):
        self.told.append((customer_id, str(lane)))


class Rig:
    def __init__(self):
        self.clock, self.tables = ManualClock(NOW), MemoryTables()
        customers = MemoryCustomerStore(self.clock)
        for customer_id in ("acme", "globex"):
            customers.add(a_customer(customer_id))
        self.batches = MemoryBatches(self.tables, customers.get)
        self.deliveries, self.polls = Told(), Told()

    def letters(self, customer_id, *, broken=0):
        store = MemoryDetectionStore(self.tables, partitions=1)
        start = store.start_run(customer_id=customer_id, resource="users", run_id="r", trace_id="t", now=NOW)
        items = tuple(a_broken_record(f"b{number}") for number in range(broken))
        page = a_page(start.progress, a_record("1"), broken=items, customer_id=customer_id)
        store.save_page(page, start.progress)
        ended = {"state": RunState.COMPLETED, "position": None, "error": "", "now": NOW}
        store.finish_run(customer_id, "users", "r", **ended)
        own = enumerate(self.tables.rows.letters, start=1)
        return tuple(number for number, letter in own if letter.entity.customer_id == customer_id)

    def start(self, customer_id, *numbers):
        self.batches.create(NewBatch(customer_id=customer_id, name="again", numbers=numbers, actor="ada"), NOW)

    def feed(self):
        return feed_batches(self.batches, self.deliveries, self.polls, self.clock)


@pytest.fixture
def rig():
    return Rig()


def test_what_is_to_be_read_again_is_polled_for_and_once(rig):
    rig.start("acme", *rig.letters("acme", broken=3))

    rig.feed()
    rig.clock.advance(600)
    rig.feed()

    assert rig.polls.told == [("acme", "priority")]
    assert rig.deliveries.told == []


def test_every_customers_batch_is_fed_and_nothing_is_told_of_what_has_none(rig):
    rig.start("acme", *rig.letters("acme", broken=1))
    rig.start("globex", *rig.letters("globex", broken=1))

    rig.feed()

    assert sorted(rig.polls.told) == [("acme", "priority"), ("globex", "priority")]


@pytest.mark.parametrize("broken", ["acme", "globex"])
def test_a_batch_that_cannot_be_fed_stops_no_other_and_is_logged(rig, monkeypatch, broken):
    rig.start("acme", *rig.letters("acme", broken=1))
    rig.start("globex", *rig.letters("globex", broken=1))
    feed = rig.batches.feed

    def fails(customer_id, name, now):
        if customer_id == broken:
            raise OperationalError("update", {}, Exception("deadlock detected"))
        return feed(customer_id, name, now)

    monkeypatch.setattr(rig.batches, "feed", fails)

    with capture_logs() as lines:
        assert rig.feed() == 1

    assert [told for told, _ in rig.polls.told] == [{"acme": "globex", "globex": "acme"}[broken]]
    assert [(line["action"], line["customer_id"]) for line in lines if line["log_level"] == "error"] == [
        ("batch.failed", broken)
    ]


def test_a_sweep_without_batches_says_nothing(rig):
    assert rig.feed() == 0
    assert rig.deliveries.told == rig.polls.told == []
