"""The sweep forgets pages that are too old: some at a time, by whoever sweeps first, and in nobody's way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from support.builders import NOW, a_page, a_record

from common.domain.clock import ManualClock
from common.domain.runs import RunState
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.pages import MemoryPages
from common.storage.memory.tables import MemoryTables
from poller import pruning
from poller.pruning import prune

KEPT = timedelta(days=8)


class Asking:
    """Implements what pruning uses of `Asked`, on a clock of its own."""

    def __init__(self, clock):
        self.clock, self.until = clock, {}

    def fresh(self, names, *, seconds):
        fresh = [name for name in names if self.until.get(name, NOW) <= self.clock.now()]
        self.until.update(dict.fromkeys(fresh, self.clock.now() + timedelta(seconds=seconds)))
        return fresh


class Rig:
    def __init__(self):
        self.clock, self.tables = ManualClock(NOW), MemoryTables()
        self.asked, self.pages = Asking(self.clock), MemoryPages(self.tables)

    def save(self, customer_id, count):
        store = MemoryDetectionStore(self.tables, partitions=1)
        start = store.start_run(customer_id=customer_id, resource="users", run_id="r", trace_id="t", now=NOW)
        for number in range(count):
            page = a_page(start.progress, a_record(str(number)), customer_id=customer_id, now=self.clock.now())
            store.save_page(page, start.progress)
        ended = {"state": RunState.COMPLETED, "position": None, "error": "", "now": NOW}
        store.finish_run(customer_id, "users", "r", **ended)

    def prune(self):
        return prune(self.pages, self.asked, self.clock, KEPT)


@pytest.fixture
def rig():
    return Rig()


def test_pages_are_kept_for_their_time_and_then_forgotten(rig):
    rig.save("acme", 2)
    rig.clock.advance(KEPT.total_seconds())
    rig.save("globex", 3)

    assert rig.prune() == 0
    rig.clock.advance(61)
    assert rig.prune() == 2
    assert (rig.pages.count("acme"), rig.pages.count("globex")) == (0, 3)


def test_it_is_done_once_a_minute_whoever_sweeps(rig):
    rig.save("acme", 1)
    rig.clock.advance(KEPT.total_seconds())
    rig.prune()

    rig.clock.advance(59)
    assert rig.prune() == 0
    rig.clock.advance(1)
    assert rig.prune() == 1


def test_a_sweep_forgets_a_bounded_number_and_the_next_one_goes_on(rig, monkeypatch):
    monkeypatch.setattr(pruning, "PORTION", 2)
    monkeypatch.setattr(pruning, "PORTIONS", 3)
    rig.save("acme", 10)
    rig.clock.advance(KEPT.total_seconds() + 1)

    with capture_logs() as lines:
        assert rig.prune() == 6

    assert [(line["action"], line["count"]) for line in lines] == [("pages.forgotten", 6)]
    rig.clock.advance(60)
    assert rig.prune() == 4


def test_what_cannot_be_forgotten_is_logged_and_stops_no_sweep(rig, monkeypatch):
    def fails(before, *, at_most):
        raise OperationalError("delete", {}, Exception("the disk is full"))

    monkeypatch.setattr(rig.pages, "prune", fails)

    with capture_logs() as lines:
        assert rig.prune() == 0

    assert [(line["action"], line["log_level"]) for line in lines] == [("pages.failed", "error")]
