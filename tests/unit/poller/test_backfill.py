"""Backfill by created time: every record that was there is seen, in few requests, whatever happens meanwhile."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.builders import NOW, after
from support.first_reading import read_windows
from support.recording import KilledError, Killing, PollerRig
from support.roster import Busy, Roster

from common.domain.errors import BudgetExhausted
from common.domain.runs import RunState
from common.domain.windows import Stage, Windows
from poller.detectors.backfill import Backfill

#: Windows of 4 pages, so that few records are many of them.
SMALL = Backfill(target=60)
#: Slices of one backfill; one that takes more does not end.
SLICES = 400


def a_roster(count, *, years=5.0, seed=1, **more):
    roster, chance = Roster(**more), random.Random(seed)
    for number in range(count):
        seconds = -int(chance.random() * years * 365 * 86_400)
        roster.put(f"u{number:05}", created=after(seconds))
    return roster


def backfilled(rig):
    """Slices until the run is over."""
    for _ in range(SLICES):
        state = rig.run()
        if state not in (None, RunState.CONTINUED):
            return state
        rig.clock.advance(max(0.0, (rig.checkpoint().continue_at - rig.clock.now()).total_seconds()))
    raise AssertionError("the backfill does not end")


def pages(count, size=15):
    return max(1, math.ceil(count / size))


def test_a_short_list_costs_its_pages_and_no_request_more():
    roster = a_roster(300)
    rig = PollerRig(roster)

    assert rig.run() == RunState.COMPLETED
    assert (len(rig.mirrored()), len(roster.queries)) == (300, 20)
    assert rig.checkpoint().position == NOW


def test_a_long_list_is_read_in_windows_and_nothing_is_lost():
    roster = a_roster(1_200)
    rig = PollerRig(roster, backfill=SMALL, slice_seconds=600.0)

    assert backfilled(rig) == RunState.COMPLETED
    assert len(rig.mirrored()) == 1_200
    assert len(roster.queries) <= pages(1_200) + 40
    assert rig.tables.events_by_state("acme") == {"pending": 1_200}


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_what_lies_on_a_bound_is_read_whether_bounds_are_inclusive_or_not(seed, inclusive):
    """Everybody came within some hours: there is a record in nearly every second."""
    roster = a_roster(500, years=0.00003, seed=seed, inclusive=inclusive)
    rig = PollerRig(roster, backfill=SMALL)

    assert backfilled(rig) == RunState.COMPLETED
    assert set(rig.mirrored()) == set(roster.rows)


@pytest.mark.parametrize("count", [1, 40])
def test_a_record_without_a_created_time_is_found_by_the_check(count):
    roster = a_roster(480)
    for number in range(count):
        roster.put(f"n{number}", created=None)
    rig = PollerRig(roster, backfill=SMALL)

    assert backfilled(rig) == RunState.COMPLETED
    assert set(rig.mirrored()) == set(roster.rows)


@pytest.mark.parametrize("created", [after(5_000_000), NOW.replace(year=1901), NOW.replace(year=1970, month=1, day=1)])
def test_a_record_that_is_older_or_newer_than_any_guess_is_read(created):
    roster = a_roster(480)
    roster.put("odd", created=created)
    roster.rows["odd"].updated = after(-1000)
    rig = PollerRig(roster, backfill=SMALL)

    assert backfilled(rig) == RunState.COMPLETED
    assert set(rig.mirrored()) == set(roster.rows)


def test_a_source_that_does_not_heed_the_filters_is_read_once_without_them():
    roster = a_roster(480, heeds=False)
    rig = PollerRig(roster, backfill=SMALL)

    assert backfilled(rig) == RunState.COMPLETED
    assert len(rig.mirrored()) == 480
    assert len(roster.queries) <= pages(480) + 3


def test_an_import_of_all_records_in_one_second_is_one_window():
    roster = Roster()
    for number in range(500):
        roster.put(f"u{number:05}", created=after(-40_000_000))
    rig = PollerRig(roster, backfill=SMALL)

    assert backfilled(rig) == RunState.COMPLETED
    assert len(rig.mirrored()) == 500
    assert len(roster.queries) <= 2 * pages(500) + 40


def test_the_checkpoint_is_the_clock_of_the_first_answer_and_the_first_poll_finds_what_was_edited_since():
    roster = a_roster(480)
    rig = PollerRig(roster, backfill=SMALL)
    busy = Busy(roster, seed=3, edits=0.5)
    roster.between = busy
    assert backfilled(rig) == RunState.COMPLETED

    assert rig.checkpoint().position == after(1)
    roster.between = lambda: None
    rig.clock.advance(3_600)
    assert rig.run() == RunState.COMPLETED
    assert busy.edited
    assert rig.mirrored() == {key: row.name for key, row in roster.rows.items()}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_record_that_was_there_all_along_is_seen_in_few_requests(data):
    """Clusters, ties, gaps of years, and no created time at all; edits, deletions and additions meanwhile."""
    roster = Roster(inclusive=data.draw(st.booleans()))
    clusters = data.draw(st.lists(st.tuples(CENTRES, WIDTHS, st.integers(0, 60)), max_size=6))
    chance = random.Random(data.draw(st.integers(0, 10**6)))
    for centre, width, count in clusters:
        for _ in range(count):
            roster.put(f"u{len(roster.rows):05}", created=after(-centre - chance.randint(0, width)))
    for number in range(nulls := data.draw(st.sampled_from([0, 0, 0, 1, 70]))):
        roster.put(f"null{number}", created=None)
    busy = Busy(roster, seed=chance.random(), edits=data.draw(RATES), deletions=data.draw(RATES) / 8,
                additions=data.draw(RATES) / 8)  # fmt: skip
    roster.between = busy
    count = len(roster.rows)
    seen, candidate = read_windows(roster, Backfill(passes=6, target=30))
    assume(candidate is not None)

    asked, again = len(roster.queries), sum(1 for query in roster.queries if not any(_bounds(query)))
    assert busy.there_all_along <= seen
    assert {key for key, row in roster.rows.items() if row.updated < candidate} <= seen
    if not busy.deletions and not busy.additions and not busy.edits:
        assert asked <= pages(count) + pages(count) // 4 + 14 * (len(clusters) + 2) + (again if nulls else 0)


CENTRES = st.integers(0, 60 * 365 * 86_400)
WIDTHS = st.sampled_from([0, 1, 50, 86_400, 10**7])
RATES = st.sampled_from([0.0, 0.0, 0.1, 0.5])


def _bounds(query):
    return query.created_after, query.created_before


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.02, 0.2]))
def test_a_list_that_lies_in_its_totals_ends_unsealed_or_complete_but_never_half(seed, rate):
    roster, chance = a_roster(250, seed=seed), random.Random(seed)
    roster.lie = lambda total: total + chance.choice([-3, 1, 20]) if chance.random() < rate else total
    rig = PollerRig(roster, backfill=SMALL)

    if backfilled(rig) == RunState.COMPLETED:
        assert set(rig.mirrored()) == set(roster.rows)
    else:
        assert rig.checkpoint().position is None


@pytest.mark.parametrize("seed", range(12))
def test_killed_anywhere_it_goes_on_at_the_page_and_repeats_nothing(seed):
    roster = a_roster(500, seed=seed)
    rig, chance = PollerRig(roster, backfill=SMALL), random.Random(seed)
    whole, kills = rig.parts, 0
    for _ in range(60):
        rig.parts = replace(whole, store=Killing(whole.store, at=chance.randint(1, 25), after=chance.random() < 0.5))
        try:
            if rig.run() == RunState.COMPLETED:
                break
        except KilledError:
            kills += 1
    rig.parts = whole
    rig.run()

    assert kills
    assert set(rig.mirrored()) == set(roster.rows)
    assert rig.tables.events_by_state("acme") == {"pending": 500}
    assert len(roster.queries) <= pages(500) + 30 + kills


def test_a_window_that_will_not_be_sealed_ends_the_run_and_the_sealed_ones_are_kept():
    roster = a_roster(480)
    oldest = min(roster.rows, key=lambda key: roster.rows[key].created)
    roster.hidden = {oldest}
    rig = PollerRig(roster, backfill=SMALL)
    assert backfilled(rig) == RunState.UNSEALED
    kept = rig.checkpoint().backfill
    assert (rig.checkpoint().position, kept.stage, kept.sealed > 1) == (None, Stage.WINDOWS, True)

    asked, roster.hidden = len(roster.queries), set()
    rig.clock.advance(300)
    roster.clock += timedelta(seconds=300)
    assert backfilled(rig) == RunState.COMPLETED
    assert len(roster.queries) - asked < pages(480) / 2
    assert (set(rig.mirrored()), rig.checkpoint().position) == (set(roster.rows), NOW)
    assert rig.checkpoint().backfill is None


def test_out_of_budget_it_waits_and_goes_on_at_the_page():
    roster = a_roster(480)
    roster.errors = [*[None] * 20, BudgetExhausted("used up", until=after(40))]
    rig = PollerRig(roster, backfill=SMALL)
    assert rig.run() == RunState.CONTINUED
    assert rig.checkpoint().continue_at == after(40)

    asked = len(roster.queries)
    assert backfilled(rig) == RunState.COMPLETED
    assert len(roster.queries) - asked <= pages(480) - 20 + 15


@pytest.mark.parametrize("slice_seconds", [0.5, 60.0])
def test_it_is_many_short_slices_of_one_run(slice_seconds):
    roster = a_roster(480)
    rig = PollerRig(roster, backfill=SMALL, slice_seconds=slice_seconds)
    roster.between = lambda: rig.clock.advance(1)

    assert backfilled(rig) == RunState.COMPLETED
    (report,) = rig.tables.runs
    assert (report.origin, report.counts.detected) == ("backfill", 480)
    assert report.counts.requests == len(roster.queries)
    assert set(rig.shares) == {"backfill"}


def test_marks_tell_how_fast_it_reads_and_begin_anew_after_a_silence():
    windows = Windows(began=NOW.isoformat())
    for seconds, records in ((0, 15), (10, 30), (30, 45), (60, 90)):
        windows = windows.marked(records, after(seconds))
    assert windows.marks == ((NOW.isoformat(), 15), (after(30).isoformat(), 45), (after(60).isoformat(), 90))
    assert windows.marked(100, after(60 + 600)).marks == ((after(660).isoformat(), 100),)
    assert datetime.fromisoformat(windows.marks[0][0]) == NOW
