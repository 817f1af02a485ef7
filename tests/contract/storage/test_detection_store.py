"""What the poller's loop may rely on, whichever store it is given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import NOW, a_broken_record, a_page, a_record, after, an_entity

from common.domain.errors import RunFenced
from common.domain.resources import USERS
from common.domain.runs import RunCounts, RunState


def test_the_first_run_of_a_resource_is_a_backfill_without_a_checkpoint(storage):
    start = storage.start()

    assert start.checkpoint.position is None
    assert (start.progress.origin, start.progress.run_id, start.resumed) == ("backfill", "run1", False)
    assert storage.run("run1").state == RunState.RUNNING


def test_a_run_after_a_sealed_one_polls_from_its_position(storage):
    storage.start()
    storage.finish(position=after(5))

    start = storage.start("run2")

    assert start.checkpoint.position == after(5)
    assert start.progress.origin == "poll"


def test_new_records_become_pending_events_of_version_one(storage):
    counts = storage.detect(a_record("1"), a_record("2", first_name="Ada"))

    assert counts == RunCounts(requests=1, pages=1, read=2, detected=2)
    assert [(e.source_id, e.version, e.state, e.retry_at) for e in storage.events()] == [
        ("1", 1, "pending", NOW),
        ("2", 1, "pending", NOW),
    ]
    assert {event.payload["first_name"] for event in storage.due()} == {"Fenmar", "Ada"}


def test_an_event_carries_its_run_trace_and_the_sources_time(storage):
    storage.detect(a_record("1", at=after(-60)))

    (event,) = storage.due()

    assert (event.run_id, event.trace_id, event.origin) == ("run1", "trace-run1", "backfill")
    assert (event.occurred_at, event.detected_at) == (after(-60), NOW)


def test_a_record_that_is_the_same_again_makes_no_event(storage):
    storage.detect(a_record("1"))

    counts = storage.detect(a_record("1", at=after(9)), run_id="run2")

    assert (counts.detected, counts.unchanged) == (0, 1)
    assert len(storage.events()) == 1


def test_a_changed_record_makes_the_next_version(storage):
    storage.detect(a_record("1"))
    storage.detect(a_record("1", at=after(9), phone="1"), run_id="run2")

    assert [event.version for event in storage.events()] == [1, 2]
    assert storage.mirror_version(an_entity("1")) == 2


def test_a_change_within_the_same_second_is_a_change(storage):
    storage.detect(a_record("1"))

    assert storage.detect(a_record("1", phone="1"), run_id="run2").detected == 1


def test_an_older_record_never_takes_a_newer_ones_place(storage):
    storage.detect(a_record("1", phone="new"))

    counts = storage.detect(a_record("1", at=after(-1), phone="old"), run_id="run2")

    assert (counts.stale, counts.detected) == (1, 0)
    assert [event.payload["phone"] for event in storage.due()] == ["new"]


def test_of_a_record_that_a_page_repeats_the_newest_counts_once(storage):
    counts = storage.detect(a_record("1", at=after(1), phone="new"), a_record("1", phone="old"))

    assert (counts.read, counts.detected) == (1, 1)
    assert [event.payload["phone"] for event in storage.due()] == ["new"]


def test_a_broken_record_ends_as_a_dead_letter_and_its_page_goes_on(storage):
    counts = storage.detect(a_record("1"), broken=(a_broken_record("b1"),))

    assert (counts.read, counts.detected, counts.broken) == (2, 2, 1)
    (letter,) = storage.letters()
    assert (letter.source_id, letter.stage) == ("b1", "detect")
    assert (letter.reason, letter.field) == ("record_invalid", "last_name")
    states = {event.source_id: (event.state, event.finished_at) for event in storage.events()}
    assert states == {"1": ("pending", None), "b1": ("dead_lettered", NOW)}
    assert storage.delivery.open_dead_letters("acme") == 1


def test_the_same_broken_record_is_one_dead_letter_and_a_mended_one_an_event(storage):
    storage.detect(broken=(a_broken_record("b1"),))
    again = storage.detect(broken=(a_broken_record("b1"),), run_id="run2")
    mended = storage.detect(a_record("b1"), run_id="run3")

    assert (again.broken, again.unchanged, mended.detected) == (0, 1, 1)
    assert len(storage.letters()) == 1
    assert [event.version for event in storage.due()] == [2]


def test_a_page_and_its_progress_are_saved_together_and_resumed(storage):
    progress = storage.start().progress
    further = replace(progress, next_page="https://source/page/2", total=20)
    storage.detection.save_page(a_page(progress, a_record("1")), further)

    start = storage.start("run2")

    assert start.resumed
    assert start.progress == further


def test_a_run_that_ended_is_fenced_and_changes_nothing(storage):
    progress = storage.start().progress
    storage.finish()
    storage.start("run2")

    with pytest.raises(RunFenced):
        storage.detection.save_page(a_page(progress, a_record("1")), progress)
    with pytest.raises(RunFenced):
        storage.detection.save_progress("acme", USERS, progress, continue_at=after(5))
    with pytest.raises(RunFenced):
        storage.finish("run1", position=after(99))

    assert storage.events() == []
    assert storage.start("run3").checkpoint.position is None


def test_a_run_that_is_put_off_waits_until_its_time(storage):
    progress = replace(storage.start().progress, next_page="p2")
    storage.detection.save_progress("acme", USERS, progress, continue_at=after(30))

    early, late = storage.start("run2", now=after(29)), storage.start("run3", now=after(30))

    assert early.waits_until == after(30)
    assert (late.waits_until, late.resumed, late.progress) == (None, True, progress)


def test_a_run_that_is_put_off_shows_as_continued(storage):
    progress = storage.start().progress
    storage.detection.save_progress("acme", USERS, progress, continue_at=after(30))

    assert (storage.run("run1").state, storage.run("run1").finished_at) == (RunState.CONTINUED, None)


def test_a_checkpoint_never_moves_back_by_itself(storage):
    storage.start()
    storage.finish(position=after(50))
    storage.start("run2")
    storage.finish("run2", position=after(10))
    storage.start("run3")
    storage.finish("run3", position=None)

    assert storage.start("run4").checkpoint.position == after(50)


def test_a_runs_report_adds_up_its_pages(storage):
    progress = storage.start().progress
    storage.detection.save_page(a_page(progress, a_record("1"), a_record("2")), progress)
    storage.detection.save_page(a_page(progress, a_record("2"), a_record("3")), progress)
    storage.finish(state=RunState.FAILED, error="out of order")

    report = storage.run("run1")

    assert report.counts == RunCounts(requests=2, pages=2, read=4, detected=3, unchanged=1)
    assert (report.state, report.error, report.finished_at) == (RunState.FAILED, "out of order", NOW)


def test_a_scan_counts_each_record_it_has_seen_once(storage):
    progress = storage.start().progress
    storage.detection.save_page(a_page(progress, a_record("1"), a_record("2")), progress)
    storage.detection.save_page(a_page(progress, a_record("2"), broken=(a_broken_record(),)), progress)

    assert storage.detection.seen_in_scan("acme", USERS, progress.scan_id) == 3
    assert storage.detection.seen_in_scan("acme", USERS, "another") == 0
    assert storage.detection.seen_in_scan("globex", USERS, progress.scan_id) == 0


def test_a_stale_or_unchanged_record_counts_as_seen(storage):
    storage.detect(a_record("1"), a_record("2"))
    progress = storage.start("run2").progress
    storage.detection.save_page(a_page(progress, a_record("1", at=after(-9), phone="old"), a_record("2")), progress)

    assert storage.detection.seen_in_scan("acme", USERS, progress.scan_id) == 2


def test_two_customers_with_the_same_ids_do_not_meet(storage):
    storage.detect(a_record("1"))
    counts = storage.detect(a_record("1"), customer_id="globex", run_id="run1-g")

    assert counts.detected == 1
    assert [event.entity.customer_id for event in storage.due()] == ["acme"]
    assert [event.entity.customer_id for event in storage.due(customer_id="globex")] == ["globex"]


def test_what_was_read_is_counted_once_as_detected_unchanged_or_stale(storage):
    storage.detect(a_record("1"), a_record("2"))

    counts = storage.detect(a_record("1", at=after(-5), phone="9"), a_record("2"), a_record("3"), run_id="run2")

    assert (counts.read, counts.detected, counts.unchanged, counts.stale) == (3, 1, 1, 1)
