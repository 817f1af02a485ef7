"""What a walk asks for next within a scope, and when it has seen all of it: pure decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_record, after

from common.domain.checkpoints import Progress
from common.domain.events import Origin
from common.domain.resources import FORM_COMPLETIONS
from common.domain.sources import Page, ResourceTerms, Style
from common.domain.stores import ScopeToRead
from poller.detectors.walk import LATE, WHOLE_EVERY, Walk

WALK = Walk(passes=3, absence=timedelta(minutes=5))
BOUNDED = ResourceTerms(style=Style.SCOPED, takes_since=True)
WHOLE_ONLY = ResourceTerms(style=Style.SCOPED)
BEGUN = Progress(run_id="run", origin=Origin.POLL, trace_id="trace", scope="form/7", walk_began=NOW.isoformat())
SECOND = timedelta(seconds=1)


def a_scope(**changes):
    return ScopeToRead(**{"scope": "form/7", "parent": {"name": "Waiver"}, **changes})


def a_page(**changes):
    return Page(**{"records": [a_record()], "broken": [], "next_page": None, "total": 1, "answered_at": NOW, **changes})


def ask(found, *, terms=BOUNDED, progress=BEGUN, now=NOW):
    return WALK.query(FORM_COMPLETIONS, terms, progress, found, now)


def read_pages(*totals, progress=BEGUN):
    for total in totals:
        progress = WALK.after_page(progress, a_page(total=total))
    return progress


def test_a_request_names_the_scope_with_its_parents_body():
    query = ask(a_scope())

    assert (query.resource, query.scope, query.parent) == (FORM_COMPLETIONS, "form/7", {"name": "Waiver"})
    assert (query.updated_after, query.updated_before, query.next_page) == (None, None, None)


def test_a_request_goes_on_where_the_reading_is():
    assert ask(a_scope(), progress=replace(BEGUN, next_page="p2")).next_page == "p2"


def test_what_was_read_whole_of_late_is_read_from_a_while_before_its_last_reading_on():
    found = a_scope(read_at=after(-60), whole_at=after(-3600))

    assert ask(found).updated_after == after(-60) - LATE


@pytest.mark.parametrize(
    ("read_at", "whole_at"),
    [(None, None), (after(-60), None), (after(-60), NOW - WHOLE_EVERY)],
    ids=["never read", "never read whole", "read whole a day ago"],
)
def test_a_scope_is_read_whole_the_first_time_and_once_a_day(read_at, whole_at):
    assert ask(a_scope(read_at=read_at, whole_at=whole_at)).updated_after is None


def test_a_day_is_not_over_before_it_is():
    found = a_scope(read_at=after(-60), whole_at=NOW - WHOLE_EVERY + SECOND)

    assert ask(found).updated_after is not None


def test_what_takes_no_bound_is_always_read_whole():
    found = a_scope(read_at=after(-60), whole_at=after(-60))

    assert ask(found, terms=WHOLE_ONLY).updated_after is None


def test_a_reading_begins_with_nothing_of_the_one_before():
    spoilt = replace(BEGUN, scan_pass=3, next_page="p9", total=4, moved=True)
    begun = WALK.begin(spoilt, a_scope(scope="form/8"))

    assert begun == replace(BEGUN, scope="form/8")


def test_after_a_page_the_next_one_is_remembered_and_troubles_are_over():
    troubled = replace(BEGUN, failures=2, outages=3)
    progress = WALK.after_page(troubled, a_page(next_page="p2", total=31))

    assert progress == replace(BEGUN, next_page="p2", total=31)


@pytest.mark.parametrize(
    ("totals", "seen", "is_sealed"),
    [
        ((2,), 2, True),
        ((2, 2), 2, True),
        ((0,), 0, True),
        ((2,), 1, False),
        ((2, 3), 3, False),
        ((2, 3, 2), 3, False),
        ((2, None), 2, False),
        ((None, 2), 2, False),
        ((None,), 2, False),
    ],
)
def test_a_reading_is_sealed_if_each_page_told_the_same_total_and_as_many_were_seen(totals, seen, is_sealed):
    assert WALK.is_sealed(read_pages(*totals), seen) is is_sealed


def test_the_first_pages_total_is_the_one_that_the_others_are_held_against():
    assert read_pages(2, 3, 3).total == 2


def test_a_pass_is_made_again_from_the_first_page_until_it_has_been_made_often_enough():
    second = WALK.next_pass(read_pages(2, 3))
    third = WALK.next_pass(second)

    assert second == replace(BEGUN, scan_pass=2)
    assert third.scan_pass == 3
    assert WALK.next_pass(third) is None


def test_passes_and_scopes_and_rounds_are_told_apart_by_what_has_been_seen_in_them():
    others = [
        replace(BEGUN, scan_pass=2),
        replace(BEGUN, scope="form/8"),
        replace(BEGUN, run_id="run2"),
        replace(BEGUN, walk_began=after(900).isoformat()),
    ]

    assert len({each.scan_id for each in (BEGUN, *others)}) == len(others) + 1


def test_once_a_scope_is_done_nothing_of_it_is_left_but_the_walk_goes_on():
    done = WALK.after_scope(replace(BEGUN, scan_pass=2, next_page="p2", total=4, moved=True))

    assert done == replace(BEGUN, scope=None)


@pytest.mark.parametrize(
    ("origin", "read_at", "expected"),
    [
        (Origin.BACKFILL, None, Origin.BACKFILL),
        (Origin.BACKFILL, after(-60), Origin.POLL),
        (Origin.POLL, None, Origin.POLL),
        (Origin.POLL, after(-60), Origin.POLL),
        (Origin.RECONCILIATION, None, Origin.RECONCILIATION),
        (Origin.RECONCILIATION, after(-60), Origin.RECONCILIATION),
    ],
)
def test_only_what_a_first_walk_reads_for_the_first_time_is_backfill(origin, read_at, expected):
    assert WALK.origin(replace(BEGUN, origin=origin), a_scope(read_at=read_at)) == expected
