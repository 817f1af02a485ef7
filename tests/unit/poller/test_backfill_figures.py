"""What the first reading of 5,000 users costs, in windows and as polls would read them; the README has the table."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache
from statistics import mean

from support.builders import after
from support.first_reading import read_bounded, read_windows
from support.roster import Busy, Roster

from poller.detectors.backfill import Backfill
from poller.detectors.incremental import Incremental

USERS = 5_000
#: At 100 requests a minute.
SECONDS_A_REQUEST = 0.6
SEEDS = range(3)
BOUNDED = Incremental(overlap=timedelta(seconds=30), passes=3)
#: Of three passes each; after so many the polls' way counts as one that does not end.
RUNS = 1


class Quick(Roster):
    """Sorts only what has changed: nobody comes or goes here."""

    def __init__(self):
        super().__init__()
        self._sorted = cache(super().found)

    def found(self, bounds):
        return self._sorted(bounds)

    def edit(self, source_id, name):
        super().edit(source_id, name)
        self._sorted.cache_clear()


def a_list(seed, edits_an_hour):
    """Of users who came over five years."""
    roster, chance = Quick(), random.Random(seed)
    for number in range(USERS):
        roster.put(f"u{number:05}", created=after(-int(chance.random() * 5 * 365 * 86_400)))
    roster.between = Busy(roster, seed=seed, edits=edits_an_hour * SECONDS_A_REQUEST / 3600, seconds=SECONDS_A_REQUEST)
    return roster


def in_windows(seed, edits_an_hour):
    """Requests until all is read."""
    roster = a_list(seed, edits_an_hour)
    seen, _ = read_windows(roster, Backfill())
    assert len(seen) == USERS
    return len(roster.queries)


def as_polls_do(seed, edits_an_hour):
    """Requests until a pass is sealed, and whether one was."""
    roster = a_list(seed, edits_an_hour)
    ended = any(read_bounded(roster, BOUNDED) is not None for _ in range(RUNS))
    return len(roster.queries), ended


def costs(edits_an_hour):
    """Of either way: requests, on average, and how many of the polls' ways have come to an end."""
    windows = mean(in_windows(seed, edits_an_hour) for seed in SEEDS)
    polls, ends = zip(*(as_polls_do(seed, edits_an_hour) for seed in SEEDS), strict=True)
    return windows, mean(polls), sum(ends)


def test_when_nobody_edits_windows_cost_a_tenth_more_at_the_most():
    windows, polls, ended = costs(0)

    assert ended == len(SEEDS)
    assert polls < windows <= 1.1 * polls


def test_with_ten_edits_an_hour_windows_cost_less_on_average():
    windows, polls, _ = costs(10)
    assert windows < polls


def test_with_a_hundred_edits_an_hour_windows_end_where_the_polls_way_does_not():
    windows, polls, ended = costs(100)

    assert ended == 0
    assert windows < polls / 2
