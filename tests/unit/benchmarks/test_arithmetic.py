"""The benchmarks' own arithmetic."""

from __future__ import annotations

import random

import pytest
from benchmarks.fleet.arithmetic import passed_over, percentile, share_used, turns_apart, used_when_refused, violations


def test_a_percentile_is_the_smallest_value_that_enough_others_are_not_above():
    values = list(range(1, 101))
    assert [percentile(values, p) for p in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([5.0], 99) == 5.0
    assert percentile([3, 1, 2], 50) == 2


def test_nothing_has_no_percentile():
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_full_window_after_a_full_window_violates_nothing():
    assert violations([0.0] * 5 + [10.0] * 5, limit=5, window_seconds=10) == 0


def test_one_request_too_many_in_any_window_is_found():
    sound = [number * 2.0 for number in range(50)]  # five in any ten seconds
    assert violations(sound, limit=5, window_seconds=10) == 0
    assert violations([*sound, 33.3], limit=5, window_seconds=10) > 0


def test_a_violation_across_the_border_of_fixed_windows_is_found():
    """Five at the end of one window of the clock and five at the beginning of the next."""
    moments = [9.0 + number / 10 for number in range(5)] + [10.0 + number / 10 for number in range(5)]
    assert violations(moments, limit=5, window_seconds=10) == 5


def test_the_order_in_which_processes_report_does_not_matter():
    moments = [0.0, 1.0, 2.0, 30.0, 31.0, 32.0]
    random.Random(1).shuffle(moments)
    assert violations(moments, limit=2, window_seconds=10) == 2


def test_an_even_stream_at_the_limit_uses_all_of_it():
    assert share_used([number * 2.0 for number in range(50)], limit=5, window_seconds=10) == pytest.approx(1.0)


def test_bursts_that_come_a_little_late_use_a_little_less():
    bursts = [start * 11.0 for start in range(4) for _ in range(5)]
    assert share_used(bursts, limit=5, window_seconds=10) == pytest.approx(10 / 11)


def test_the_share_is_unknown_before_the_limit_is_passed():
    assert share_used([1.0, 2.0], limit=5, window_seconds=10) is None


def test_refused_at_a_full_window_is_all_of_the_limit_used():
    granted = [number * 2.0 for number in range(50)]  # five in any ten seconds
    refused = [number * 2.0 + 1.9 for number in range(10, 40)]
    assert used_when_refused(granted, refused, limit=5, window_seconds=10) == pytest.approx(1.0)


def test_refused_although_two_of_five_were_used_is_two_fifths_of_the_limit_used():
    granted = [number * 4.0 for number in range(50)]  # when it is refused, two in the ten seconds before
    refused = [number * 4.0 + 3.9 for number in range(10, 40)]
    assert used_when_refused(granted, refused, limit=5, window_seconds=10) == pytest.approx(0.4)


def test_still_being_refused_when_the_window_is_free_again_counts_by_its_time():
    """A burst that fills the window, then eleven seconds of refusals: one of them without a reason."""
    refused = [0.1 + number / 10 for number in range(110)]
    assert used_when_refused([0.0] * 5, refused, limit=5, window_seconds=10) == pytest.approx(10 / 11, abs=0.01)


def test_a_time_in_which_nobody_was_refused_does_not_count():
    granted = [0.0] * 5 + [10.0] + [100.0] * 5
    refused = [0.5, 101.0]
    assert used_when_refused(granted, refused, limit=5, window_seconds=10) == pytest.approx(1.0)


def test_nothing_is_known_of_a_budget_that_refused_nobody():
    assert used_when_refused([1.0, 2.0], [], limit=5, window_seconds=10) is None


def test_customers_served_in_turn_are_as_far_apart_as_there_are_customers():
    turns = list("abcabcabc")
    assert turns_apart(turns) == 3
    assert passed_over(turns) == 0


def test_a_customer_that_is_served_twice_while_another_waits_is_found():
    assert passed_over(list("abcabaccb")) > 0
    assert passed_over(list("aab")) == 1  # `b` waited from the beginning


def test_who_has_nothing_left_is_not_waited_for():
    assert passed_over(list("abcabab")) == 0


def test_a_swap_of_neighbours_is_seen_in_how_far_turns_are_apart():
    turns = list("abcacbabc")
    assert turns_apart(turns) == 4
    assert passed_over(turns) == 2  # `c` before `b`, then `b` before `c`


def test_nobody_had_two_turns():
    assert turns_apart(["a", "b"]) == 0
