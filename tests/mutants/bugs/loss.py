"""Promise 1: nothing is lost."""

from __future__ import annotations

from mutants.mutant import Mutant

STORAGE = "tests/contract/storage"
INCREMENTAL = "tests/unit/poller/test_incremental.py"
RUNS = "tests/unit/poller/test_runs.py"

BUGS = (
    Mutant(
        name="checkpoint-before-store",
        promise=1,
        does="a page's progress and cursor are committed before the page is",
        file="common/storage/detection.py",
        old="""progress=progress.to_json(), **moved
            )
            waiting.take_turn(connection, page.customer_id)""",
        new="""progress=progress.to_json(), **moved
            )
        with self._engine.begin() as connection:
            waiting.take_turn(connection, page.customer_id)""",
        tests=(
            f"{STORAGE}/test_all_or_nothing.py::test_a_page_that_fails_while_it_is_saved_leaves_neither_progress_nor_cursor",
        ),
    ),
    Mutant(
        name="checkpoint-from-the-clock",
        promise=1,
        does="a sealed scan moves the checkpoint to our own time",
        file="poller/runs.py",
        old="position = detector.position(progress) or self._of_nobody(last) if progress.since is None else None",
        new="position = self.parts.clock.now() if progress.since is None else None",
        tests=(f"{RUNS}::test_a_run_puts_every_record_into_the_outbox_and_moves_the_checkpoint",),
    ),
    Mutant(
        name="nightly-checkpoint-at-the-clock",
        promise=1,
        does="a night's report says that all is applied up to the moment at which it ended",
        file="common/storage/night_truth.py",
        old="applied_through=applied_through(lowest, still_open.oldest),",
        new="applied_through=now,",
        tests=("tests/integration/test_nights.py::test_a_whole_night_reads_applies_and_reports",),
    ),
    Mutant(
        name="checkpoint-moves-back",
        promise=1,
        does="a run that ends late puts the checkpoint back to where it was itself",
        file="common/storage/detection.py",
        old='changes["position"] = func.greatest(checkpoints.c.position, position)',
        new='changes["position"] = position',
        tests=(f"{STORAGE}/test_detection_store.py::test_a_checkpoint_never_moves_back_by_itself",),
    ),
    Mutant(
        name="no-overlap",
        promise=1,
        does="a poll begins at the checkpoint itself, and misses what was committed late",
        file="poller/detectors/incremental.py",
        old="after = max(checkpoint.position, EARLIEST + self.overlap) - self.overlap if checkpoint.position else None",
        new="after = max(checkpoint.position, EARLIEST) if checkpoint.position else None",
        tests=(f"{INCREMENTAL}::test_a_poll_begins_an_overlap_before_the_checkpoint",),
    ),
    Mutant(
        name="future-stamp-moves-checkpoint",
        promise=1,
        does="a record stamped in the future carries the checkpoint with it",
        file="poller/detectors/incremental.py",
        old="times = [record.updated_at for record in page.records if record.updated_at <= latest]",
        new="times = [record.updated_at for record in page.records]",
        tests=(f"{INCREMENTAL}::test_a_stamp_from_the_future_does_not_carry_the_checkpoint_with_it",),
    ),
    Mutant(
        name="future-stamp-in-the-mirror",
        promise=1,
        does="a record once stamped in the future is never up to date again: all that follows looks older",
        file="poller/runs.py",
        old="return [replace(record, updated_at=min(record.updated_at, latest)) for record in page.records]",
        new="return list(page.records) if latest else []",
        tests=(
            "tests/integration/test_regressions.py::test_a_record_once_stamped_in_the_future_is_still_kept_in_step",
        ),
    ),
    Mutant(
        name="any-scan-is-sealed",
        promise=1,
        does="a scan moves the checkpoint though a record may have been hidden from it",
        file="poller/detectors/incremental.py",
        old="return not progress.moved and progress.total is not None and seen >= progress.total",
        new="return True",
        tests=(f"{INCREMENTAL}::test_a_deletion_while_paging_makes_the_scan_read_again",),
    ),
    Mutant(
        name="total-may-move",
        promise=1,
        does="a scan whose total changed while it was paged counts as sealed",
        file="poller/detectors/incremental.py",
        old="moved=progress.moved or page.total != total,",
        new="moved=progress.moved,",
        tests=(f"{INCREMENTAL}::test_a_total_that_changed_while_paging_seals_nothing_however_many_were_seen",),
    ),
    Mutant(
        name="bound-in-the-present-second",
        promise=1,
        does="a scan's upper bound is a second into which records may still come",
        file="poller/detectors/incremental.py",
        old="bound = (page.answered_at or now) - PRESENT_SECOND",
        new="bound = page.answered_at or now",
        tests=(f"{INCREMENTAL}::test_a_longer_list_is_read_again_below_a_second_that_is_over",),
    ),
    Mutant(
        name="cursor-moves-with-any-page",
        promise=1,
        does="a source's cursor is moved by a page that others follow",
        file="poller/runs.py",
        old="cursor=page.cursor if is_of_changes and page.next_page is None else None,",
        new='cursor=page.cursor or "next" if is_of_changes else None,',
        tests=("tests/unit/poller/test_cursor.py::test_the_cursor_moves_with_the_last_page_and_not_before",),
    ),
    Mutant(
        name="progress-forgotten",
        promise=1,
        does="a run that is continued begins anew, and one of many slices never ends",
        file="common/storage/detection.py",
        old="progress=saved or first,",
        new="progress=first,",
        tests=(f"{STORAGE}/test_detection_store.py::test_a_page_and_its_progress_are_saved_together_and_resumed",),
    ),
    Mutant(
        name="outage-fails-the-run",
        promise=1,
        does="an outage of the source counts as failures of the run, which gives up its progress",
        file="poller/runs.py",
        old="return self._after_outage(outage)",
        new="return self._after_failure(outage)",
        tests=(f"{RUNS}::test_an_outage_puts_a_run_off_for_as_long_as_it_lasts_and_never_makes_it_fail",),
    ),
    Mutant(
        name="same-second-is-stale",
        promise=1,
        does="a second change within the second of the first is taken for an older answer",
        file="common/storage/items.py",
        old="item.broken is None and item.updated_at < known.source_updated_at",
        new="item.broken is None and item.updated_at <= known.source_updated_at",
        tests=(f"{STORAGE}/test_detection_store.py::test_a_change_within_the_same_second_is_a_change",),
    ),
    Mutant(
        name="return-is-no-change",
        promise=1,
        does="a record that was gone and is back as it was is not put out",
        file="common/storage/items.py",
        old="return known is None or known.is_deleted or known.content_hash != item.content_hash",
        new="return known is None or known.content_hash != item.content_hash",
        tests=(f"{STORAGE}/test_scopes.py::test_a_record_that_comes_back_unchanged_is_a_change",),
    ),
    Mutant(
        name="half-done-is-as-before",
        promise=1,
        does="after a write that may be half done the ledger still believes in the old state",
        file="processor/sending.py",
        old="links=tuple(link for ready in batch for link in doubted(ready.work)),",
        new="links=(),",
        tests=(
            (
                "tests/integration/test_regressions.py::"
                "test_a_change_that_was_half_sent_and_then_taken_back_is_taken_back_at_the_destination"
            ),
        ),
    ),
    Mutant(
        name="no-delivery-for-a-page",
        promise=1,
        does="a page's changes are saved and nobody is told",
        file="poller/runs.py",
        old="""        if counts.detected:
            self.announce(counts.detected)""",
        new="""        if counts.detected > counts.read:
            self.announce(counts.detected)""",
        tests=(f"{RUNS}::test_a_delivery_is_published_for_each_page_with_changes_and_for_no_other",),
    ),
    Mutant(
        name="sweep-does-not-republish",
        promise=1,
        does="what is due and has no message stays without one",
        file="common/queueing/deliveries.py",
        old="            self.publish(customer_id, due[customer_id], by=by)",
        new="            self._hot_set.size(due[customer_id])",
        tests=(
            (
                "tests/integration/test_linger.py::"
                "test_a_message_that_redis_loses_meanwhile_is_said_again_and_none_is_said_twice"
            ),
        ),
    ),
    Mutant(
        name="sweep-forgets-the-parked",
        promise=1,
        does="a parking that only Redis still knows is never lifted",
        file="common/queueing/deliveries.py",
        old="if hot[lane].get(customer_id, now + 1) > now:",
        new="if customer_id not in hot[lane]:",
        tests=("tests/integration/test_regressions.py::test_the_sweep_lifts_a_parking_that_only_redis_still_knows",),
    ),
    Mutant(
        name="sweep-forgets-runs",
        promise=1,
        does="a run whose worker was killed is not asked for again",
        file="poller/sweep.py",
        old="    ask_for_runs(overview.due_runs(now), polls, asked)\n",
        new="",
        tests=("tests/integration/test_beats.py::test_the_sweep_asks_once_for_a_run_that_is_due_and_that_nobody_does",),
    ),
    Mutant(
        name="hot-set-not-repaired",
        promise=1,
        does="a message that was given back to a cold queue is never found",
        file="common/queueing/deliveries.py",
        old="            self._hot_set.add(lanes[customer_id], customer_id)",
        new="            self._hot_set.size(lanes[customer_id])",
        tests=("tests/integration/test_lanes.py::test_a_message_that_was_given_back_to_a_cold_queue_is_found",),
    ),
    Mutant(
        name="popped-without-a-note",
        promise=1,
        does="a message is in no list between its pop and its acknowledgement",
        file="common/queueing/take.lua",
        old="""  redis.call('HSET', KEYS[2], tag, '[' .. item .. ', "", "' .. queue .. '"]')\n""",
        new="",
        tests=("tests/integration/test_turns.py::test_what_is_popped_is_noted_as_unacknowledged_in_the_same_instant",),
    ),
    Mutant(
        name="acked-before-commit",
        promise=1,
        does="a message is acknowledged as it is taken, and dies with its worker",
        file="common/queueing/tasks.py",
        old="app.task(run, name=name, bind=True, shared=False, acks_late=True, ignore_result=True)",
        new="app.task(run, name=name, bind=True, shared=False, acks_late=False, ignore_result=True)",
        tests=(
            "tests/unit/queueing/test_worker_parts.py::test_a_message_is_acknowledged_once_it_was_worked_on_and_not_as_it_is_taken",
        ),
    ),
    Mutant(
        name="beat-makes-up-for-nothing",
        promise=1,
        does="what came due while no beat led is left out",
        file="poller/schedule/publishing.py",
        old="since = min(noted, now).timestamp() if noted else now.timestamp()",
        new="since = max(noted, now).timestamp() if noted else now.timestamp()",
        tests=("tests/integration/test_beats.py::test_a_successor_makes_up_for_what_came_due_while_nobody_led",),
    ),
    Mutant(
        name="link-wakes-nobody",
        promise=1,
        does="what waits for a link sleeps on once it is recorded",
        file="common/storage/outcomes.py",
        old="    waiting.wake(connection, customer_id, [link.entity for link in outcome.links], now)\n",
        new="",
        tests=(f"{STORAGE}/test_waiting_events.py::test_an_event_that_waits_for_a_link_is_due_once_that_is_recorded",),
    ),
    Mutant(
        name="waiters-take-no-turns",
        promise=1,
        does="who begins to wait and who records what it waits for commit unseen by each other",
        file="common/storage/waiting.py",
        old="        lock = func.pg_advisory_xact_lock\n",
        new="        lock = func.pg_advisory_xact_lock_shared\n",
        tests=(
            (
                f"{STORAGE}/test_waiting_events.py::"
                "test_whoever_begins_to_wait_while_the_link_is_being_recorded_is_due_all_the_same"
            ),
        ),
    ),
)
