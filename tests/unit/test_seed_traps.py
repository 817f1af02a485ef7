"""The traps of the seed recipes: each has a test. Those that others prove already are named here, and must exist.

| trap of a recipe                                                      | proved in                                   |
|-----------------------------------------------------------------------|---------------------------------------------|
| only the first run is staggered; offsets shift when a customer joins  | unit/poller/test_agenda                     |
| a checkpoint of the newest time seen, asked for with `>`              | unit/poller/test_incremental                |
| a checkpoint that is set apart from what was published                | contract/storage/test_detection_store       |
| a counter per fixed minute: twice the limit at its edge, no hint      | contract/limits                             |
| a timer of 60 s that takes edits for echoes, and late echoes for edits| here, and contract/storage                  |
| a short reading deletes the rest; the snapshot is saved first         | unit/poller/test_no_false_delete*, test_runs|
| resuming at an index of a list that is read anew                      | unit/poller/test_runs, here                 |
| what is left to the next night is overtaken by what is newer          | integration/test_nights, contract/storage   |
| a breaker that hides what failed; 5 % of the successes alone          | integration/test_nights, unit/domain        |
| the e-mail address as the key                                         | integration/test_identity                   |
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from support.builders import an_entity
from support.delivering import ProcessorRig

TESTS = Path(__file__).resolve().parents[1]
PROVED_BY = {
    "unit/poller/test_agenda.py": (
        "test_a_phase_lies_within_its_period_and_never_shifts", "test_phases_spread_customers_evenly_over_a_period",
        "test_nobody_moves_when_others_come_or_go",
    ),
    "unit/poller/test_incremental.py": (
        "test_a_poll_begins_an_overlap_before_the_checkpoint",
        "test_the_checkpoint_moves_to_the_highest_time_seen_and_not_to_any_clock",
        "test_polling_until_the_list_is_quiet_leaves_nothing_behind",
    ),
    "contract/storage/test_detection_store.py": (
        "test_a_page_and_its_progress_are_saved_together_and_resumed",
        "test_a_change_within_the_same_second_is_a_change", "test_a_record_that_is_the_same_again_makes_no_event",
    ),
    "contract/limits/test_windows.py": (
        "test_in_memory_no_window_ever_holds_more_than_the_limit",
        "test_many_threads_of_many_workers_hammering_one_budget_never_exceed_it",
    ),
    "contract/limits/test_budgets.py": ("test_an_exhausted_budget_says_from_when_one_may_be_free",),
    "unit/poller/test_no_false_delete.py": ("test_no_lie_takes_anything_away_however_often_it_is_told",),
    "unit/poller/test_no_false_delete_by_full_scans.py": (
        "test_no_scan_takes_away_what_is_there_and_two_honest_ones_find_all_that_is_gone",
    ),
    "unit/poller/test_runs.py": (
        "test_a_kill_before_or_after_any_step_loses_nothing_and_repeats_nothing",
        "test_a_killed_run_goes_on_where_it_was_and_not_from_the_start",
    ),
    "contract/storage/test_delivery_store.py": (
        "test_an_event_in_retry_holds_back_its_entity_and_no_other",
        "test_what_is_due_is_found_in_its_partition_oldest_first",
    ),
    "integration/test_nights.py": (
        "test_what_is_left_at_the_deadline_comes_first_the_next_night_and_never_after_what_is_newer",
        "test_a_night_killed_at_each_of_its_writes_comes_to_the_same_end",
        "test_a_rejected_token_fails_the_night_at_once_and_names_the_system",
    ),
    "unit/domain/test_night_steps.py": ("test_a_failure_rate_is_of_all_that_ended_and_not_of_successes",),
    "integration/test_identity.py": (
        "test_a_second_person_with_the_same_address_waits_for_a_decision",
        "test_a_person_who_moves_to_another_address_leaves_the_old_one_to_others_and_it_stays_in_the_history",
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", PROVED_BY)
def test_what_is_said_to_prove_a_trap_exists(path):
    tree = ast.parse((TESTS / path).read_text())
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    assert set(PROVED_BY[path]) <= there


def test_an_edit_a_second_after_our_write_is_written_and_no_late_reading_of_it_is_an_edit():
    rig = ProcessorRig()
    rig.detect("1", first_name="Ada")
    rig.deliver_all()
    rig.clock.advance(1)
    rig.detect("1", first_name="Adah")
    rig.deliver_all()
    rig.clock.advance(30 * 60)
    rig.detect("1", first_name="Adah")
    rig.deliver_all()

    assert rig.destination.landed == [("1", 1), ("1", 2)]
    assert rig.destination.contacts[an_entity("1")][0].first_name == "Adah"


def test_what_is_applied_before_a_kill_is_not_applied_again_whatever_the_source_lists_now():
    rig = ProcessorRig()
    rig.detect("1", "2", "3")
    rig.deliver_all()
    rig.detect("0", "3", "2", "1")
    rig.deliver_all()

    assert sorted(source_id for source_id, _ in rig.destination.landed) == ["0", "1", "2", "3"]
