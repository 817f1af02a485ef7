"""Runs that fail in a row, and events that wait, counted by both implementations."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_customer, a_page, a_record

from common.domain.clock import ManualClock
from common.domain.resources import USERS
from common.domain.runs import RunState
from common.domain.windows import Stage, Windows
from common.storage.backlog import PostgresBacklog
from common.storage.customers import PostgresCustomerStore
from common.storage.detection import PostgresDetectionStore
from common.storage.memory.backlog import MemoryBacklog
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.tables import MemoryTables

FAILED, COMPLETED, UNSEALED = RunState.FAILED, RunState.COMPLETED, RunState.UNSEALED


def finish(storage, run_id, state):
    storage.start(run_id)
    return storage.detection.finish_run("acme", USERS, run_id, state=state, position=None, error="", now=NOW)


def test_failed_runs_are_counted_in_a_row(storage):
    states = [FAILED, FAILED, UNSEALED, FAILED, COMPLETED, FAILED]

    assert [finish(storage, f"run{n}", state) for n, state in enumerate(states)] == [1, 2, 2, 3, 0, 1]


def test_what_an_unsealed_backfill_keeps_is_where_the_next_run_begins_and_gone_once_it_completes(storage):
    kept = Windows(
        began=NOW.isoformat(), stage=Stage.WINDOWS, sealed=3, read=40, marks=((NOW.isoformat(), 40),),
        stops=((NOW.isoformat(), 7),), totals=(1, None),
    )  # fmt: skip
    storage.start("run1")
    storage.detection.finish_run("acme", USERS, "run1", state=UNSEALED, position=None, error="", now=NOW, keeps=kept)
    start = storage.start("run2")
    assert (start.progress.windows, start.progress.run_id, start.resumed) == (kept, "run2", False)

    storage.detection.finish_run("acme", USERS, "run2", state=COMPLETED, position=None, error="", now=NOW)
    assert storage.start("run3").progress.windows is None


@pytest.fixture(params=["memory", "postgres"])
def counted(request):
    """A detection store, and the backlog behind it."""
    if request.param == "memory":
        state = MemoryTables()
        return MemoryDetectionStore(state, partitions=4), MemoryBacklog(state)
    engine = request.getfixturevalue("engine")
    for customer_id in ("acme", "globex"):
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))
    return PostgresDetectionStore(engine, partitions=4), PostgresBacklog(engine)


def test_open_events_of_one_customer_are_counted_no_further_than_asked(counted):
    detection, backlog = counted
    for customer_id, number in (("acme", 5), ("globex", 3)):
        start = detection.start_run(customer_id=customer_id, resource=USERS, run_id="r", trace_id="t", now=NOW)
        records = [a_record(str(source_id)) for source_id in range(number)]
        detection.save_page(a_page(start.progress, *records, customer_id=customer_id), start.progress)

    assert [backlog.open_events("acme", at_most) for at_most in (1, 5, 100)] == [1, 5, 5]
    assert backlog.open_events("globex", 100) == 3
    assert backlog.open_events("nobody", 100) == 0
