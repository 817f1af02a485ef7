"""The fixed-window counter."""

from datetime import UTC, datetime, timedelta

from deploy.sandbox.limits import FixedWindow

NOON = datetime(2026, 1, 1, 12, 0, 30, 500_000, tzinfo=UTC)


def test_a_window_gives_exactly_its_limit():
    window = FixedWindow(60)

    assert [window.take(NOON, 3) for _ in range(5)] == [True, True, True, False, False]
    assert window.remaining(NOON, 3) == 0


def test_a_new_window_starts_with_the_clock_and_not_with_the_first_request():
    window = FixedWindow(60)
    window.take(NOON, 1)

    assert not window.take(NOON + timedelta(seconds=29.4), 1)
    assert window.take(NOON + timedelta(seconds=29.5), 1)


def test_waiting_as_long_as_told_is_enough():
    window = FixedWindow(3600)
    window.take(NOON, 1)

    assert window.retry_after(NOON) == 3570
    assert window.take(NOON + timedelta(seconds=window.retry_after(NOON)), 1)


def test_a_raised_limit_counts_at_once():
    window = FixedWindow(60)
    window.take(NOON, 1)

    assert window.take(NOON, 2)
