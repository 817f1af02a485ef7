"""The walk on twins over time: it ends, reads again what is due meanwhile, and lets history wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, after
from support.recording import PollerRig
from support.scoped import STAFF, ScopedSource
from support.walks import deleted, events, slowly, walk

from common.domain.events import Action
from common.domain.layers import Layer
from common.domain.resources import FORM_COMPLETIONS, GROUP_MEMBERS, GROUPS
from common.domain.runs import RunState
from common.domain.sources import WHOLE
from poller.detectors.walk import LATE, WHOLE_EVERY
from poller.walking import ROUND

HOUR = 3600.0
SCOPES = ["group/1", "group/2", STAFF]


@pytest.fixture
def always():
    """Its scopes are due again at once."""
    source = ScopedSource(periods=dict.fromkeys(SCOPES, 0.0))
    source.group("1", "m1", "m2", "m3")
    source.group("2", "m4")
    return source


@pytest.fixture
def rig(always):
    rig = PollerRig(always)
    rig.run(GROUPS)
    always.queries.clear()
    return rig


def test_periods_of_nothing_end_a_walk_all_the_same_and_have_all_read_again_by_the_next(rig, always):
    slowly(rig, always, 1.0)

    assert walk(rig) == RunState.COMPLETED
    assert sorted(always.scopes_asked) == SCOPES
    assert walk(rig, after_seconds=1.0) == RunState.COMPLETED
    assert sorted(always.scopes_asked[3:]) == SCOPES


def test_periods_of_nothing_end_a_walk_even_if_no_time_passes(rig, always):
    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert sorted(always.scopes_asked) == SCOPES


def a_long_walk(source, *, scopes, minutes):
    """One root that is due every minute, and a history of so many scopes; each answer takes so long."""
    for number in range(scopes):
        source.group(f"old{number:02}", f"o{number:02}")
        source.history.add(f"group/old{number:02}")
    source.periods = {STAFF: 60.0}
    rig = PollerRig(source, slice_seconds=10**6)
    rig.run(GROUPS)
    source.queries.clear()
    slowly(rig, source, minutes * 60.0)
    return rig


def test_a_long_walk_reads_again_after_a_round_what_is_due_every_minute():
    source = ScopedSource()
    source.put(GROUP_MEMBERS, STAFF, "s1")
    rig = a_long_walk(source, scopes=16, minutes=2)

    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    turns = [number for number, scope in enumerate(source.scopes_asked) if scope == STAFF]
    per_round = int(ROUND / timedelta(minutes=2)) + 1
    assert turns == [0, per_round, 2 * per_round]
    assert len(source.scopes_asked) == 16 + len(turns), "history is read once"


def test_a_long_walk_finds_out_in_its_later_rounds_what_has_gone_meanwhile():
    source = ScopedSource()
    source.put(GROUP_MEMBERS, STAFF, "s1", "s2")
    rig = a_long_walk(source, scopes=24, minutes=2)
    source.lie = lambda _, page: (source.rows[GROUP_MEMBERS, STAFF].pop("s2", None), page)[1]

    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert source.scopes_asked.count(STAFF) == 4
    assert deleted(rig) == ["s2"]


def test_the_last_round_of_a_walk_is_where_its_checkpoint_is():
    source = ScopedSource()
    source.put(GROUP_MEMBERS, STAFF, "s1")
    rig = a_long_walk(source, scopes=3, minutes=1)
    began = rig.clock.now()
    rig.run(GROUP_MEMBERS)

    assert rig.tables.rows.checkpoints["acme", GROUP_MEMBERS, Layer.POLL].position == began


@pytest.mark.parametrize(("random_unit", "first"), [(0.0, STAFF), (0.79, STAFF), (0.8, "group/old00")])
def test_history_goes_last_but_for_a_fifth_of_the_turns(random_unit, first):
    source = ScopedSource()
    source.put(GROUP_MEMBERS, STAFF, "s1")
    rig = a_long_walk(source, scopes=2, minutes=1)
    rig.parts = replace(rig.parts, random_unit=lambda: random_unit)
    rig.run(GROUP_MEMBERS)

    assert source.scopes_asked[0] == first
    assert sorted(source.scopes_asked) == ["group/old00", "group/old01", STAFF]


def test_what_takes_a_bound_is_read_from_it_on_and_whole_once_a_day():
    source = ScopedSource(periods={WHOLE: HOUR})
    source.put(FORM_COMPLETIONS, WHOLE, "c1", "c2", "c3", at=NOW - timedelta(days=9))
    rig = PollerRig(source)
    for _ in range(27):
        walk(rig, resource=FORM_COMPLETIONS)
        rig.clock.advance(HOUR)

    bounds = [query.updated_after for query in source.queries if query.next_page is None]
    daily = int(WHOLE_EVERY.total_seconds() / HOUR)
    assert [number for number, bound in enumerate(bounds) if bound is None] == [0, daily]
    assert bounds[5] == after(4 * HOUR) - LATE
    assert events(rig, FORM_COMPLETIONS) == {(Action.UPSERT, each): 1 for each in ("c1", "c2", "c3")}


def test_what_is_read_from_a_bound_on_tells_of_what_is_gone_by_its_whole_readings_alone():
    source = ScopedSource(periods={WHOLE: HOUR})
    source.put(FORM_COMPLETIONS, WHOLE, "c1", "c2", at=NOW - timedelta(days=9))
    rig = PollerRig(source)
    walk(rig, resource=FORM_COMPLETIONS)
    source.take(FORM_COMPLETIONS, WHOLE, "c1")
    gone_after = 0
    while not events(rig, FORM_COMPLETIONS)[Action.DELETE, "c1"] and gone_after < 60:
        walk(rig, after_seconds=HOUR, resource=FORM_COMPLETIONS)
        gone_after += 1

    assert gone_after == 2 * 24
    assert events(rig, FORM_COMPLETIONS)[Action.DELETE, "c2"] == 0
