"""The loop on twins: every way out of a run is recorded, and nothing is lost between any two steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import NOW, after
from support.listing import Listing
from support.recording import KilledError, Killing, PollerRig

from common.domain.customers import CustomerStatus
from common.domain.errors import (
    BudgetExhausted,
    CustomerInvalid,
    PageUnreadable,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.domain.runs import RunState
from poller.runs import FAILURES_BEFORE_GIVING_UP


def a_listing(count, **more):
    listing = Listing(**more)
    for number in range(count):
        listing.put(f"u{number}", f"name{number:03}", at=after(-100 + number))
    return listing


def test_a_run_puts_every_record_into_the_outbox_and_moves_the_checkpoint():
    rig = PollerRig(a_listing(8))

    assert rig.run() == RunState.COMPLETED
    assert rig.tables.events_by_state("acme") == {"pending": 8}
    assert rig.checkpoint().position == after(-93)
    (report,) = rig.tables.runs
    assert (report.state, report.counts.detected, report.counts.pages) == (RunState.COMPLETED, 8, 4)
    assert report.counts.detected + report.counts.unchanged + report.counts.stale == report.counts.read


def test_a_delivery_is_published_for_each_page_with_changes_and_for_no_other():
    rig = PollerRig(a_listing(3))
    rig.run()
    rig.run()

    assert rig.published == ["acme"]


def test_the_first_run_is_backfill_and_later_ones_are_live():
    rig = PollerRig(a_listing(3))
    rig.run()
    rig.run()

    assert rig.shares == ["backfill", "live"]


def test_a_second_worker_leaves_a_run_that_is_under_way():
    rig = PollerRig(a_listing(3))

    with rig.locks.try_hold("run/acme/users"):
        assert rig.run() is None
    assert rig.tables.events == []


@pytest.mark.parametrize("after_call", [False, True])
@pytest.mark.parametrize("at", range(1, 14))
def test_a_kill_before_or_after_any_step_loses_nothing_and_repeats_nothing(at, after_call):
    rig = PollerRig(a_listing(11))
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after_call))
    try:
        rig.run()
    except KilledError:
        rig.parts = whole
    rig.parts = whole
    rig.run()

    assert rig.mirrored() == {f"u{number}": f"name{number:03}" for number in range(11)}
    assert rig.tables.events_by_state("acme") == {"pending": 11}
    assert rig.checkpoint().position == after(-90)
    assert rig.checkpoint().progress is None


def test_a_killed_run_goes_on_where_it_was_and_not_from_the_start():
    listing = a_listing(30)
    rig = PollerRig(listing)
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=8, after=True))
    with pytest.raises(KilledError):
        rig.run()
    before = len(listing.queries)
    rig.parts = whole
    rig.run()

    assert before == 7
    assert len(listing.queries) - before == 10 + 1 - 7
    assert len(rig.tables.runs) == 1


def test_an_exhausted_budget_is_continued_at_its_moment_and_is_no_failure():
    listing = a_listing(9)
    listing.errors = [None, None, BudgetExhausted("used up", until=after(40))]
    rig = PollerRig(listing)

    assert rig.run() == RunState.CONTINUED
    asked = len(listing.queries)
    rig.clock.advance(39)
    assert rig.run() is None
    assert len(listing.queries) == asked
    rig.clock.advance(1)
    assert rig.run() == RunState.COMPLETED
    assert len(rig.mirrored()) == 9
    assert rig.customers.get("acme").status is CustomerStatus.ACTIVE


def test_a_run_longer_than_its_slice_yields_and_goes_on_at_once():
    listing = a_listing(30)
    rig = PollerRig(listing, slice_seconds=2.5)
    listing.between = lambda: rig.clock.advance(1)
    outcomes = [rig.run() for _ in range(5)]

    assert outcomes[:4] == [RunState.CONTINUED] * 3 + [RunState.COMPLETED]
    assert len(rig.mirrored()) == 30


@pytest.mark.parametrize(
    "error", [SystemUnavailable("503", sent=True), UnknownOutcome("no answer"), PageUnreadable("not a page")]
)
def test_a_failure_is_waited_out_with_growing_patience_and_then_given_up(error):
    listing = a_listing(3)
    listing.errors = [error] * FAILURES_BEFORE_GIVING_UP
    rig = PollerRig(listing)
    waits, state = [], RunState.CONTINUED
    while state == RunState.CONTINUED:
        state = rig.run()
        if state == RunState.CONTINUED:
            waits.append((rig.checkpoint().continue_at - rig.clock.now()).total_seconds())
            rig.clock.advance(waits[-1])

    assert waits == [1, 2, 4, 8, 16, 32, 64]
    assert state == RunState.FAILED
    assert rig.checkpoint().position is None
    assert rig.run() == RunState.COMPLETED


def test_failures_are_counted_in_a_row_only():
    listing = a_listing(30)
    listing.errors = [SystemUnavailable("503", sent=True), None] * 20
    rig = PollerRig(listing)
    states = []
    while not states or states[-1] == RunState.CONTINUED:
        states.append(rig.run())
        rig.clock.advance(10)

    assert states[-1] == RunState.COMPLETED
    assert len(rig.mirrored()) == 30


def test_a_rejected_token_pauses_the_customer_and_keeps_the_checkpoint():
    listing = a_listing(3)
    listing.errors = [TokenRejected("401")]
    rig = PollerRig(listing)

    assert rig.run() == RunState.FAILED
    assert (rig.customers.get("acme").status, rig.customers.get("acme").status_reason) == (CustomerStatus.PAUSED, "401")
    assert rig.checkpoint().position is None


def test_a_customer_without_a_token_is_paused_instead_of_failing_for_ever():
    def no_token(*_):
        raise CustomerInvalid("acme", "source token", "is missing")

    rig = PollerRig(a_listing(3), open_source=no_token)

    assert rig.run() == RunState.FAILED
    assert rig.customers.get("acme").status is CustomerStatus.PAUSED
    assert [report.state for report in rig.tables.runs] == [RunState.FAILED]


def test_a_defect_ends_the_run_by_name_and_is_raised():
    listing = a_listing(3)
    listing.errors = [ZeroDivisionError("ada@example.org")]
    rig = PollerRig(listing)

    with pytest.raises(ZeroDivisionError):
        rig.run()
    assert [(r.state, r.error) for r in rig.tables.runs] == [(RunState.FAILED, "defect: ZeroDivisionError")]


def test_a_set_that_moves_in_every_pass_leaves_the_checkpoint_and_loses_nothing():
    listing = a_listing(30)
    doomed = iter(f"u{number}" for number in range(30))
    listing.between = lambda: listing.delete(next(doomed))
    rig = PollerRig(listing)

    assert rig.run() == RunState.UNSEALED
    assert rig.checkpoint().position is None
    listing.between = int
    assert rig.run() == RunState.COMPLETED
    assert set(listing.rows) <= set(rig.mirrored())


def test_a_run_that_was_fenced_stops_without_an_error_and_changes_nothing():
    listing = a_listing(9)
    rig = PollerRig(listing)

    def take_over():
        if len(listing.queries) == 3:
            rig.parts.store.finish_run(
                "acme", "users", "id1", state=RunState.FAILED, position=None, error="taken over", now=NOW
            )

    listing.between = take_over

    assert rig.run() == RunState.CONTINUED
    assert len(rig.mirrored()) == 3
    assert rig.checkpoint().progress is None


@pytest.mark.parametrize(
    "error",
    [BudgetExhausted("x", until=after(9)), SystemUnavailable("x", sent=True), TokenRejected("401")],
    ids=lambda error: type(error).__name__,
)
def test_a_run_that_was_fenced_before_it_could_record_an_error_stops_too(error):
    listing = a_listing(9)
    listing.errors = [None, error]
    rig = PollerRig(listing)

    def take_over():
        if len(listing.queries) == 2:
            rig.parts.store.finish_run(
                "acme", "users", "id1", state=RunState.FAILED, position=None, error="taken over", now=NOW
            )

    listing.between = take_over

    assert rig.run() == RunState.CONTINUED
    assert [report.error for report in rig.tables.runs] == ["taken over"]


def test_an_edit_after_the_checkpoint_is_the_next_version_and_an_old_one_is_not_asked_for():
    listing = a_listing(3)
    rig = PollerRig(listing)
    rig.run()
    rig.clock.advance(100)
    listing.advance(100)
    listing.put("u1", "renamed")
    rig.run()

    assert listing.queries[-1].updated_after == after(-98 - 30)
    assert [(e.entity.source_id, e.version, e.origin) for e in rig.tables.events][-1] == ("u1", 2, "poll")
    assert rig.checkpoint().position == after(100)
