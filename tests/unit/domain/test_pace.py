"""The rate of a backfill, and what is left."""

from __future__ import annotations

import pytest
from support.builders import NOW, after

from common.domain.pace import pace


@pytest.mark.parametrize(
    ("read", "total", "marks", "percent", "per_hour", "left_seconds"),
    [
        (300, 1200, [(NOW, 0), (after(60), 100)], 25.0, 6000.0, 540.0),
        (300, 1200, [(NOW, 200), (after(60), 300)], 25.0, 6000.0, 540.0),
        (300, 1200, [(NOW, 0)], 25.0, None, None),
        (300, 1200, [], 25.0, None, None),
        (300, 1200, [(NOW, 0), (after(1), 15)], 25.0, None, None),  # too short to tell
        (300, 1200, [(NOW, 9), (after(60), 9)], 25.0, 0.0, None),  # stands still
        (300, 1200, [(NOW, 500), (after(60), 9)], 25.0, None, None),  # began anew
        (300, None, [(NOW, 0), (after(60), 100)], None, 6000.0, None),
        (1300, 1200, [(NOW, 0), (after(60), 100)], 100.0, 6000.0, 0.0),  # the list has grown
        (0, 0, [], 100.0, None, None),
    ],
)
def test_what_a_pace_comes_to(read, total, marks, percent, per_hour, left_seconds):
    found = pace(read, total, marks)
    assert (found.percent, found.per_hour, found.left_seconds) == (percent, per_hour, left_seconds)
