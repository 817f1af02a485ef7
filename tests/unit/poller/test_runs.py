"""The loop on twins: every way out of a run is recorded, and nothing is lost between any two steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, after
from support.listing import Listing
from support.recording import KilledError, Killing, PollerRig

from common.domain.backlog import BacklogLimits
from common.domain.breakers import BreakerState
from common.domain.customers import CustomerStatus, System
from common.domain.errors import (
    BudgetExhausted,
    CustomerInvalid,
    PageUnreadable,
    PermissionMissing,
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


@pytest.mark.parametrize("error", [SystemUnavailable("503", sent=True), UnknownOutcome("no answer")])
def test_an_outage_puts_a_run_off_for_as_long_as_it_lasts_and_never_makes_it_fail(error):
    listing = a_listing(9)
    listing.errors = [None, *[error] * 40]
    rig = PollerRig(listing)
    waits, state = [], rig.run()
    while state == RunState.CONTINUED:
        waits.append((rig.checkpoint().continue_at - rig.clock.now()).total_seconds())
        rig.clock.advance(waits[-1])
        state = rig.run()

    # Its own backoff up to the fifth failure in a row; then the breaker's, doubled up to ten minutes.
    assert waits[:12] == [1, 2, 4, 8, 30, 60, 120, 240, 480, 600, 600, 600]
    assert len(waits) == 40
    assert state == RunState.COMPLETED
    assert rig.checkpoint().failed_runs == 0
    assert rig.breakers.of("acme") == {}
    assert len(rig.tables.runs) == 1


@pytest.mark.parametrize("failures", [1, 5])
def test_an_outage_that_says_when_to_come_back_puts_the_run_off_until_then_whatever_the_breaker_says(failures):
    listing = a_listing(3)
    told = SystemUnavailable("503", sent=True, retry_at=after(900))
    listing.errors = [*[SystemUnavailable("503", sent=True)] * (failures - 1), told]
    rig = PollerRig(listing)
    for seconds in (1, 2, 4, 8, 0)[: failures - 1]:
        rig.run()
        rig.clock.advance(seconds)

    assert rig.run() == RunState.CONTINUED
    assert rig.checkpoint().continue_at == after(900)


def test_an_outage_and_pages_that_are_none_are_counted_apart():
    listing = a_listing(3)
    bad = [SystemUnavailable("503", sent=True)] * 3 + [PageUnreadable("html")]
    listing.errors = bad * (FAILURES_BEFORE_GIVING_UP - 1)
    rig = PollerRig(listing)
    states = [rig.run()]
    while states[-1] != RunState.COMPLETED:
        rig.clock.advance(700)
        states.append(rig.run())

    assert RunState.FAILED not in states


def test_while_the_breaker_is_open_the_source_is_not_asked_and_one_run_finds_out():
    listing = a_listing(3)
    listing.errors = [SystemUnavailable("503", sent=True)] * 6
    rig = PollerRig(listing)
    for seconds in (1, 2, 4, 8, 0):
        assert rig.run() == RunState.CONTINUED
        rig.clock.advance(seconds)
    asked = len(listing.queries)
    rig.clock.advance(29)
    assert rig.run() is None
    assert len(listing.queries) == asked
    rig.clock.advance(1)
    assert rig.run() == RunState.CONTINUED
    assert len(listing.queries) == asked + 1


def fail_a_run(rig, listing):
    listing.errors = [PageUnreadable("not a page")] * FAILURES_BEFORE_GIVING_UP
    while rig.run() != RunState.FAILED:
        rig.clock.advance(700)


def test_three_failed_runs_in_a_row_pause_the_customer_for_a_day():
    listing = a_listing(3)
    rig = PollerRig(listing)
    fail_a_run(rig, listing)
    fail_a_run(rig, listing)
    assert rig.customers.get("acme").is_active
    fail_a_run(rig, listing)

    paused = rig.customers.get("acme")
    assert (paused.status, paused.paused_until) == (CustomerStatus.PAUSED, rig.clock.now() + timedelta(hours=24))
    assert "3 runs in a row failed" in paused.status_reason
    assert "not a page" in paused.status_reason
    assert rig.metrics.run_pauses.labels("acme")._value.get() == 1


def test_a_run_that_ends_well_wipes_out_the_failed_ones_before_it():
    listing = a_listing(3)
    rig = PollerRig(listing)
    for _ in range(3):
        fail_a_run(rig, listing)
        fail_a_run(rig, listing)
        assert rig.run() == RunState.COMPLETED

    assert rig.customers.get("acme").is_active


def test_a_pause_that_a_person_ordered_meanwhile_does_not_end_by_itself():
    listing = a_listing(3)
    rig = PollerRig(listing)
    fail_a_run(rig, listing)
    fail_a_run(rig, listing)
    rig.customers.pause("acme", "on request")
    fail_a_run(rig, listing)

    assert (rig.customers.get("acme").status_reason, rig.customers.get("acme").paused_until) == ("on request", None)


def test_a_backfill_waits_at_its_limit_of_open_events_and_goes_on_below_it():
    listing = a_listing(30)
    rig = PollerRig(listing)
    rig.parts = replace(rig.parts, backpressure=rig.backpressure(BacklogLimits(backfill=9, poll=20)))

    assert rig.run() == RunState.CONTINUED
    (report,) = rig.tables.runs
    assert "backpressure: 9 or more events wait" in report.error
    assert rig.tables.events_by_state("acme") == {"pending": 9}
    assert rig.checkpoint().continue_at == after(30)
    asked = len(listing.queries)
    rig.clock.advance(30)
    assert rig.run() == RunState.CONTINUED
    assert len(listing.queries) == asked
    rig.clock.advance(30)
    rig.parts = replace(rig.parts, backpressure=rig.backpressure(BacklogLimits(backfill=100, poll=200)))
    assert rig.run() == RunState.COMPLETED
    assert len(rig.mirrored()) == 30
    assert rig.metrics.runs_held_back.labels("acme", "backfill")._value.get() == 2


def test_live_changes_are_fed_on_when_a_backfill_would_wait_and_stop_later():
    listing = a_listing(9)
    rig = PollerRig(listing)
    rig.run()
    rig.parts = replace(rig.parts, backpressure=rig.backpressure(BacklogLimits(backfill=9, poll=11)))
    for number in (20, 21):
        listing.put(f"u{number}", "new")
        rig.clock.advance(60)
        listing.advance(60)
        assert rig.run() == RunState.COMPLETED

    assert rig.run() == RunState.CONTINUED
    assert rig.tables.events_by_state("acme") == {"pending": 11}


def test_pages_that_are_none_are_waited_out_with_growing_patience_and_then_given_up():
    listing = a_listing(3)
    listing.errors = [PageUnreadable("not a page")] * FAILURES_BEFORE_GIVING_UP
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


@pytest.mark.parametrize("error", [TokenRejected("401"), PermissionMissing("403")])
def test_a_rejected_token_blocks_the_source_and_keeps_customer_and_progress(error):
    listing = a_listing(9)
    listing.errors = [None, None, error]
    rig = PollerRig(listing)

    assert rig.run() == RunState.CONTINUED
    asked = len(listing.queries)
    rig.clock.advance(86_400)
    assert rig.run() == RunState.CONTINUED
    assert len(listing.queries) == asked
    assert rig.customers.get("acme").is_active
    assert rig.breakers.of("acme")[System.SOURCE].state is BreakerState.BLOCKED
    (report,) = rig.tables.runs
    assert report.error.startswith("waits until the source is verified: 40")
    assert rig.checkpoint().failed_runs == 0

    rig.breakers.unblock("acme", System.SOURCE)
    assert rig.run() == RunState.COMPLETED
    assert len(rig.tables.runs) == 1
    assert len(listing.queries) == asked + 2


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
