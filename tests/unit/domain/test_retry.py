"""When to try again, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.retry import AT_ONCE, BY_STAFF, NIGHTLY, RetryPolicy


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (9, 256), (10, 300), (10_000, 300)]
)
def test_the_delay_doubles_up_to_its_cap(attempts, seconds):
    assert RetryPolicy().delay_seconds(attempts, 0.0) == seconds


def test_jitter_is_equal_half_of_the_longest_wait_is_at_random():
    policy = RetryPolicy(base_seconds=10)

    assert [policy.delay_seconds(1, random_unit) for random_unit in (0.0, 0.5, 1.0)] == [10, 15, 20]


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_no_delay_leaves_its_bounds(attempts, random_unit):
    assert 1 <= RetryPolicy().delay_seconds(attempts, random_unit) <= 600


@pytest.mark.parametrize(("age", "seconds"), [(0, 1), (1, 1), (4, 2), (600, 300), (86_400, 3600)])
def test_a_submission_is_looked_for_after_half_its_age(age, seconds):
    assert AT_ONCE.delay_seconds(age) == seconds


def test_a_submission_of_three_days_has_been_looked_for_a_hundred_times_at_most():
    age, looks = 0.0, 0
    while age < 72 * 3600:
        age += AT_ONCE.delay_seconds(age)
        looks += 1

    assert looks < 100


@pytest.mark.parametrize("confirmation", [AT_ONCE, NIGHTLY, BY_STAFF])
def test_what_is_held_for_three_days_is_looked_for_once_a_day(confirmation):
    assert confirmation.delay_seconds(72 * 3600) == 24 * 3600


@pytest.mark.parametrize(
    ("confirmation", "first", "longest"), [(AT_ONCE, 1, 3600), (NIGHTLY, 600, 3600), (BY_STAFF, 3600, 6 * 3600)]
)
def test_what_is_known_of_an_import_decides_when_it_is_looked_for(confirmation, first, longest):
    assert confirmation.delay_seconds(0) == first
    assert confirmation.delay_seconds(71 * 3600) == longest
