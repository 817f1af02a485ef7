"""Layers of a resource: each with its own progress, and only those that share the checkpoint move it."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_page, a_record, after

from common.domain.errors import RunFenced
from common.domain.layers import RECONCILIATION_SECONDS, Layer
from common.domain.resources import USERS
from common.domain.runs import RunState


def start(storage, run_id, layer, *, now=NOW):
    return storage.detection.start_run(
        customer_id="acme", resource=USERS, layer=layer, run_id=run_id, trace_id="t", now=now
    )


def test_reconciliation_reads_the_last_day_whatever_the_checkpoint_says(storage):
    storage.start()
    storage.finish(position=NOW)
    progress = start(storage, "r1", Layer.RECONCILIATION).progress

    assert progress.origin == "reconciliation"
    assert progress.start(storage.start("p2").checkpoint).position == after(-RECONCILIATION_SECONDS)


def test_reconciliation_that_goes_on_keeps_its_bound(storage):
    progress = start(storage, "r1", Layer.RECONCILIATION).progress
    storage.detection.save_progress("acme", USERS, progress, continue_at=after(5))
    resumed = start(storage, "r2", Layer.RECONCILIATION, now=after(9000))

    assert (resumed.resumed, resumed.progress.since) == (True, progress.since)


def test_a_poll_and_reconciliation_do_not_fence_each_other(storage):
    poll = storage.start("p1").progress
    other = start(storage, "r1", Layer.RECONCILIATION).progress
    storage.detection.save_page(a_page(poll, a_record("1")), poll)
    storage.detection.save_page(a_page(other, a_record("2")), other)
    storage.finish("p1")
    storage.finish("r1")

    assert {event.source_id for event in storage.events()} == {"1", "2"}


def test_two_reconciliations_fence_each_other(storage):
    first = start(storage, "r1", Layer.RECONCILIATION).progress
    storage.finish("r1", state=RunState.FAILED)
    start(storage, "r2", Layer.RECONCILIATION)

    with pytest.raises(RunFenced):
        storage.detection.save_page(a_page(first, a_record()), first)


def test_a_nightly_run_goes_on_from_the_polls_checkpoint(storage):
    storage.start()
    storage.finish(position=NOW)
    nightly = start(storage, "n1", Layer.NIGHTLY)

    assert (nightly.checkpoint.position, nightly.progress.origin, nightly.progress.since) == (NOW, "nightly", None)


def test_a_nightly_run_and_a_poll_are_the_same_progress(storage):
    started = start(storage, "n1", Layer.NIGHTLY)
    storage.detection.save_progress("acme", USERS, started.progress, continue_at=NOW)

    assert storage.start("p1").progress.run_id == "n1"
