from datetime import UTC, datetime, timedelta, timezone

import pytest

from common.cli.ages import age_seconds, age_text, moment_text

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.4, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (86_399, "23h"),
        (864_000, "10d"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds, text):
    assert age_text(seconds) == text


def test_an_age_is_never_negative_for_another_clock_may_run_ahead():
    assert age_seconds(NOW + timedelta(seconds=5), NOW) == 0


def test_what_never_happened_has_no_age():
    assert age_seconds(None, NOW) is None


def test_moments_are_told_in_utc():
    moment = datetime(2026, 1, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))

    assert moment_text(moment) == "2026-01-01 12:30:00Z"
