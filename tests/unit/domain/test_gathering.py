"""How long less than a batch waits for more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW, after

from common.domain.gathering import Gathering, Linger

LINGER = Linger(live_seconds=2.0, backfill_seconds=20.0)


@pytest.mark.parametrize(
    ("found", "until"),
    [
        (Gathering(count=0), None),
        (Gathering(count=1, live_since=NOW), 2),
        (Gathering(count=99, live_since=after(-1.5)), 0.5),
        (Gathering(count=99, live_since=after(-2)), None),
        (Gathering(count=100, live_since=NOW), None),
        (Gathering(count=1, live_since=NOW, is_urgent=True), None),
        (Gathering(count=1, backfill_since=after(-19)), 1),
        (Gathering(count=1, backfill_since=after(-20)), None),
        (Gathering(count=2, backfill_since=after(-5), live_since=after(-1)), 1),
        (Gathering(count=2, backfill_since=after(-5), live_since=after(-3)), None),
    ],
)
def test_less_than_a_batch_waits_as_long_as_its_kind_may(found, until):
    assert LINGER.until(found, 100, NOW) == (None if until is None else after(until))


def test_a_backfill_is_looked_at_every_now_and_then_so_that_a_live_change_does_not_wait_for_it():
    assert LINGER.until(Gathering(count=1, backfill_since=NOW), 100, NOW) == after(2)


def test_who_wants_no_linger_waits_for_nothing():
    assert Linger(live_seconds=0, backfill_seconds=0).until(Gathering(count=1, live_since=NOW), 100, NOW) is None


SINCE = st.none() | st.floats(-60, 0)


@given(live=SINCE, backfill=SINCE, count=st.integers(1, 200), is_urgent=st.booleans())
def test_nothing_ever_waits_longer_than_its_kind_may_and_never_for_a_moment_that_has_passed(
    live, backfill, count, is_urgent
):
    found = Gathering(
        count=count,
        live_since=None if live is None else after(live),
        backfill_since=None if backfill is None else after(backfill),
        is_urgent=is_urgent,
    )
    if live is None and backfill is None:
        return
    until = LINGER.until(found, 100, NOW)

    if until is not None:
        assert until > NOW
        assert live is None or until <= after(live + 2)
        assert backfill is None or until <= after(backfill + 20)
