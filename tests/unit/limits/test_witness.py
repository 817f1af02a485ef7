"""When one process says that the server's clock was stepped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.limits.witness import Reading, Witness


def reading(at, server, *, took=0.01, mark=""):
    return Reading(sent=at, returned=at + took, server=server, mark=mark)


def sees(*readings):
    witness = Witness()
    return [witness.sees_a_step(each) for each in readings]


@given(
    st.lists(st.tuples(st.floats(0, 100_000), st.floats(0, 30), st.floats(0, 1)), min_size=2, max_size=30),
    st.floats(-0.0005, 0.0005),
)
def test_answers_of_a_steady_clock_agree_however_long_they_take(calls, drift):
    witness, at = Witness(), 0.0
    for pause, took, part in calls:
        at += pause
        server = 1_790_000_000 + (at + took * part) * (1 + drift)
        assert not witness.sees_a_step(Reading(sent=at, returned=at + took, server=server, mark=""))
        at += took


@pytest.mark.parametrize("step", [-3600, -0.6, 0.6, 3600])
def test_a_step_is_seen_in_the_next_answer(step):
    assert sees(reading(0, 1000), reading(1, 1001 + step)) == [False, True]


def test_a_step_is_seen_until_somebody_has_said_so():
    later = (reading(2, 5002), reading(3, 5003, mark="m"), reading(4, 5004, mark="m"))

    assert sees(reading(0, 1000), reading(1, 5001), *later) == [False, True, True, False, False]


def test_a_step_within_a_slow_answer_is_seen_in_the_one_after():
    assert sees(reading(0, 1000), reading(1, 1031, took=30), reading(32, 1062)) == [False, False, True]


def test_small_steps_that_add_up_are_seen_as_the_large_one_that_they_are():
    readings = (reading(0, 1000), reading(2, 1002.4), reading(4, 1004.8), reading(6, 1007.2))

    assert sees(*readings)[:3] == [False, False, True]


def test_a_small_step_is_forgiven_once_two_sound_clocks_may_have_drifted_as_far_apart():
    later = [reading(at, 1000.4 + at) for at in range(2, 1002, 100)]

    assert not any(sees(reading(0, 1000), *later, reading(1100, 2100.7)))


def test_the_first_answer_of_a_process_is_taken_as_it_is():
    assert sees(reading(0, 77)) == [False]


def test_a_step_after_a_flush_is_seen_though_the_mark_is_gone():
    marked = (reading(1, 5001, mark="m"), reading(2, 5002))

    assert sees(reading(0, 1000), *marked, reading(3, 8003)) == [False, False, False, True]
    assert sees(reading(0, 1000), marked[0], reading(3, 8003)) == [False, False, True]
