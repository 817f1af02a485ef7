"""The walk on twins: what is due is read, once a round, and no trouble with one scope keeps another from being read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import after
from support.recording import KilledError, Killing, PollerRig
from support.scoped import STAFF, ScopedSource
from support.walks import deleted, events, members, report, slowly, walk

from common.domain.backlog import BacklogLimits
from common.domain.customers import CustomerStatus
from common.domain.errors import BudgetExhausted, PageUnreadable, PermanentError
from common.domain.events import Action
from common.domain.resources import GROUP_MEMBERS, GROUPS
from common.domain.runs import RunState
from common.domain.sources import WHOLE, DueScope
from poller.walking import FAILURES_BEFORE_SKIPPING, SKIPPED

HOUR = 3600.0
#: Calls of the store that the run below makes, at each of which it is killed.
STEPS = 14
MEMBERS = {"m1": "group/1", "m2": "group/1", "m3": "group/1", "m4": "group/2", "s1": STAFF}


@pytest.fixture
def source():
    source = ScopedSource()
    source.group("1", "m1", "m2", "m3")
    source.group("2", "m4")
    source.put(GROUP_MEMBERS, STAFF, "s1")
    return source


@pytest.fixture
def rig(source):
    """Its groups are known."""
    rig = PollerRig(source)
    assert rig.run(GROUPS) == RunState.COMPLETED
    source.queries.clear()
    rig.published.clear()
    return rig


def test_a_walk_reads_every_scope_and_puts_every_record_out_once(rig, source):
    assert walk(rig) == RunState.COMPLETED

    assert members(rig) == MEMBERS
    assert events(rig) == {(Action.UPSERT, each): 1 for each in MEMBERS}
    assert sorted(source.scopes_asked) == ["group/1", "group/2", STAFF]
    assert (report(rig).state, report(rig).error, report(rig).counts.pages) == (RunState.COMPLETED, "", 4)
    assert rig.published == ["acme"] * 4


def test_what_is_not_due_costs_no_request(rig, source):
    walk(rig)
    asked = len(source.queries)

    assert walk(rig, after_seconds=HOUR - 1) == RunState.COMPLETED
    assert len(source.queries) == asked
    walk(rig, after_seconds=1)
    assert sorted(source.scopes_asked[3:]) == ["group/1", "group/2", STAFF]


def test_a_first_walk_is_backfill_and_later_ones_are_not(rig, source):
    walk(rig)
    source.put(GROUP_MEMBERS, STAFF, "s2")
    walk(rig, after_seconds=HOUR)

    origins = {e.entity.source_id: e.origin for e in rig.tables.events if e.entity.resource == GROUP_MEMBERS}
    assert (origins["s1"], origins["s2"]) == ("backfill", "poll")


def changed_since(rig, source) -> None:
    """One came and one went since everything was read."""
    walk(rig)
    source.put(GROUP_MEMBERS, "group/1", "m0")
    source.take(GROUP_MEMBERS, "group/1", "m2")
    rig.clock.advance(HOUR)


def test_a_run_is_killed_below_at_all_the_steps_it_has(rig, source):
    changed_since(rig, source)
    counting = Killing(rig.parts.store, at=0, after=False)
    rig.parts = replace(rig.parts, store=counting)

    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert counting.calls == STEPS


@pytest.mark.parametrize("after_call", [False, True])
@pytest.mark.parametrize("at", range(1, STEPS + 1))
def test_a_kill_before_or_after_any_step_loses_nothing_repeats_nothing_and_takes_nothing_for_gone(
    rig, source, at, after_call
):
    changed_since(rig, source)
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after_call))
    with pytest.raises(KilledError):
        rig.run(GROUP_MEMBERS)
    rig.parts = whole
    assert walk(rig) == RunState.COMPLETED

    assert members(rig) == {**MEMBERS, "m0": "group/1"}
    assert events(rig) == {(Action.UPSERT, each): 1 for each in [*MEMBERS, "m0"]}
    walk(rig, after_seconds=HOUR)
    assert (deleted(rig), len(members(rig))) == (["m2"], 5)


def test_a_walk_that_was_killed_between_two_pages_goes_on_with_the_second(rig, source):
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=4, after=True))
    with pytest.raises(KilledError):
        rig.run(GROUP_MEMBERS)
    assert [query.scope for query in source.queries] == ["group/1"]
    rig.parts = whole
    walk(rig)

    asked = [(query.scope, query.next_page) for query in source.queries]
    assert asked == [("group/1", None), ("group/1", "|2"), ("group/2", None), (STAFF, None)]
    assert len([each for each in rig.tables.runs if each.resource == GROUP_MEMBERS]) == 1


def test_a_walk_longer_than_its_slice_goes_on_in_the_next_one(rig, source):
    slowly(rig, source, rig.parts.slice_seconds + 1)

    assert rig.run(GROUP_MEMBERS) == RunState.CONTINUED
    assert len(source.queries) == 1
    assert walk(rig) == RunState.COMPLETED
    assert (members(rig), len(source.queries)) == (MEMBERS, 4)


def test_an_exhausted_budget_puts_the_walk_off_and_nothing_is_asked_twice(rig, source):
    source.errors["group/2"] = [BudgetExhausted("used up", until=after(40))]

    assert rig.run(GROUP_MEMBERS) == RunState.CONTINUED
    assert rig.run(GROUP_MEMBERS) is None
    assert walk(rig, after_seconds=40) == RunState.COMPLETED
    assert (members(rig), source.scopes_asked) == (MEMBERS, ["group/1", "group/2", "group/2", STAFF])


def test_a_backlog_that_is_full_holds_the_walk_back_before_it_asks(rig, source):
    rig.parts = replace(rig.parts, backpressure=rig.backpressure(BacklogLimits(backfill=1)))

    assert rig.run(GROUP_MEMBERS) == RunState.CONTINUED
    assert (source.queries, members(rig)) == ([], {})


def test_answers_that_are_no_page_put_the_walk_off_and_then_skip_the_scope_for_an_hour(rig, source):
    source.periods = {STAFF: 60.0}
    source.errors["group/1"] = [PageUnreadable("not JSON") for _ in range(FAILURES_BEFORE_SKIPPING)]

    assert walk(rig) == RunState.COMPLETED
    skipped_at = rig.clock.now()
    assert sorted(members(rig)) == ["m4", "s1"]
    assert "group/1 is left for an hour: not JSON" in report(rig).error
    asked = source.scopes_asked.count("group/1")
    assert asked == FAILURES_BEFORE_SKIPPING

    walk(rig, after_seconds=SKIPPED.total_seconds() - 1)
    assert source.scopes_asked.count("group/1") == asked
    walk(rig, after_seconds=1)
    assert rig.clock.now() == skipped_at + SKIPPED
    assert (members(rig), report(rig).error) == (MEMBERS, "")


def test_answers_that_are_a_page_again_in_time_skip_nothing(rig, source):
    source.errors["group/1"] = [PageUnreadable("not JSON") for _ in range(FAILURES_BEFORE_SKIPPING - 1)]

    assert walk(rig) == RunState.COMPLETED
    assert (members(rig), report(rig).error) == (MEMBERS, "")


def test_a_scope_that_is_skipped_counts_no_failure_against_the_next_one(rig, source):
    for scope in ("group/1", "group/2"):
        source.errors[scope] = [PageUnreadable("not JSON") for _ in range(FAILURES_BEFORE_SKIPPING)]

    assert walk(rig) == RunState.COMPLETED
    assert source.scopes_asked == ["group/1"] * 3 + ["group/2"] * 3 + [STAFF]


def test_what_one_scope_refuses_for_ever_is_skipped_and_named_in_the_report(rig, source):
    source.errors["group/1"] = [PermanentError("no such page", reason="refused")]

    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert sorted(members(rig)) == ["m4", "s1"]
    assert report(rig).error == "group/1 is left for an hour: no such page"
    assert rig.customers.get("acme").status is CustomerStatus.ACTIVE
    walk(rig, after_seconds=HOUR)
    assert members(rig) == MEMBERS


def test_an_only_page_that_shows_one_record_twice_is_no_evidence_of_what_it_does_not_show(rig, source):
    source.group("2", "m5")
    walk(rig)

    def repeat(_query, page):
        shown = [each for each in page.records if each.source_id == "m4"]
        return replace(page, records=shown * 2) if shown else page

    source.lie = repeat
    for _ in range(3):
        walk(rig, after_seconds=HOUR)

    assert deleted(rig) == []


def test_every_scope_that_was_skipped_is_in_the_report_whichever_slice_skipped_it(rig, source):
    rig.parts = replace(rig.parts, slice_seconds=0.0)
    slowly(rig, source, 1.0)
    for scope in ("group/1", "group/2"):
        source.errors[scope] = [PermanentError("no such page", reason="refused")]

    assert rig.run(GROUP_MEMBERS) == RunState.CONTINUED
    assert walk(rig) == RunState.COMPLETED
    first, second = (f"{scope} is left for an hour: no such page" for scope in ("group/1", "group/2"))
    assert report(rig).error == f"2 scopes were skipped: {first}; {second}"


def test_a_scope_that_is_skipped_is_no_evidence_of_what_is_gone(rig, source):
    walk(rig)
    for _ in range(3):
        source.errors["group/1"] = [PermanentError("no such page", reason="refused")]
        walk(rig, after_seconds=HOUR)

    assert (deleted(rig), members(rig)) == ([], MEMBERS)


def test_what_a_root_refuses_fails_the_run_and_the_next_one_begins_anew(rig, source):
    source.errors[STAFF] = [PermanentError("no such list", reason="refused")]

    assert rig.run(GROUP_MEMBERS) == RunState.FAILED
    assert (report(rig).state, report(rig).error) == (RunState.FAILED, "no such list")
    assert rig.run(GROUP_MEMBERS) == RunState.COMPLETED
    assert members(rig) == MEMBERS


def test_of_what_is_gone_nothing_is_asked_until_its_parent_says_otherwise(rig, source):
    walk(rig)
    source.gone.add("group/1")
    for _ in range(3):
        walk(rig, after_seconds=HOUR)

    assert source.scopes_asked.count("group/1") == 2
    assert (deleted(rig), report(rig).state) == ([], RunState.COMPLETED)
    source.gone.clear()
    source.put(GROUPS, WHOLE, "1", name="renamed", at=after(10))
    walk(rig, resource=GROUPS)
    walk(rig)
    assert source.scopes_asked.count("group/1") == 3


def test_a_root_that_says_that_it_is_gone_is_read_again_for_it_has_no_parent_that_could_say_otherwise(rig, source):
    walk(rig)
    source.gone.add(STAFF)
    for _ in range(2):
        walk(rig, after_seconds=HOUR)
    source.gone.clear()
    source.put(GROUP_MEMBERS, STAFF, "s2")
    walk(rig, after_seconds=HOUR)

    assert (deleted(rig), members(rig)) == ([], {**MEMBERS, "s2": STAFF})


def test_a_scope_that_is_shown_before_its_parent_is_read_once_and_regularly_from_its_parent_on(rig, source):
    source.shows[STAFF] = (DueScope(resource=GROUP_MEMBERS, scope="group/3"),)
    source.put(GROUP_MEMBERS, "group/3", "m5")
    walk(rig)
    assert members(rig) == {**MEMBERS, "m5": "group/3"}
    source.shows.clear()
    walk(rig, after_seconds=HOUR)
    assert source.scopes_asked.count("group/3") == 1

    source.group("3", "m5")
    walk(rig, resource=GROUPS)
    walk(rig)
    walk(rig, after_seconds=HOUR)
    assert source.scopes_asked.count("group/3") == 3


def test_a_reading_that_is_not_sealed_is_made_again_and_then_left_without_evidence(rig, source):
    walk(rig)
    source.lie = lambda query, page: replace(page, records=[]) if query.scope == "group/1" else page
    before = len(source.queries)
    walk(rig, after_seconds=HOUR)
    walk(rig, after_seconds=HOUR)

    of_group = [query.next_page for query in source.queries[before:] if query.scope == "group/1"]
    assert of_group == [None, "|2"] * rig.parts.walk.passes * 2
    assert (deleted(rig), report(rig).state) == ([], RunState.COMPLETED)


def test_an_answer_that_may_not_tell_all_is_no_evidence(rig, source):
    walk(rig)
    source.lie = lambda _, page: replace(page, records=[], total=0, next_page=None, shows_all=False)
    for _ in range(3):
        walk(rig, after_seconds=HOUR)

    assert deleted(rig) == []


def test_what_two_readings_did_not_show_is_put_out_as_gone_and_published(rig, source):
    walk(rig)
    source.take(GROUP_MEMBERS, "group/1", "m2")
    walk(rig, after_seconds=HOUR)
    rig.published.clear()
    walk(rig, after_seconds=HOUR)

    assert (deleted(rig), rig.published, report(rig).counts.deleted) == (["m2"], ["acme"], 1)
    walk(rig, after_seconds=HOUR)
    assert events(rig)[Action.DELETE, "m2"] == 1


def test_readings_closer_to_each_other_than_evidence_may_be_take_nothing_away(rig, source):
    source.periods = {"group/1": 10.0}
    walk(rig)
    rig.clock.advance(HOUR)
    source.take(GROUP_MEMBERS, "group/1", "m2")
    apart = rig.parts.walk.absence.total_seconds()
    for _ in range(int(apart / 10)):
        walk(rig, after_seconds=10.0)
        assert deleted(rig) == []
    walk(rig, after_seconds=10.0)

    assert deleted(rig) == ["m2"]
