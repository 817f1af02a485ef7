"""`Retry-After` is obeyed within bounds: never at once, never for longer than a day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from common.http.answers import Answer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 1),
        ("30", 30),
        ("999999999", 86_400),
        ("Thu, 01 Jan 2026 12:00:45 GMT", 45),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 1),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
    ],
)
def test_the_wait_is_between_a_second_and_a_day(value, seconds):
    until = Answer(status=429, headers={"retry-after": value}, body=b"").retry_at(NOW)

    assert until is not None
    assert (until - NOW).total_seconds() == seconds


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5"])
def test_what_cannot_be_read_is_as_good_as_absent(value):
    assert Answer(status=429, headers={"retry-after": value}, body=b"").retry_at(NOW) is None
