"""From an error to an action: the whole table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import NOW, after

from common.domain.errors import (
    BreakerOpen,
    BudgetExhausted,
    CredentialsBlocked,
    CustomerInvalid,
    DeadLetterLimitReached,
    EventUnreadable,
    LockLost,
    PageUnreadable,
    PermissionMissing,
    RateLimited,
    RecordInvalid,
    RecordRefused,
    SyncError,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.domain.writes import WriteState
from processor.verdicts import GAVE_UP, TRANSIENT_ATTEMPTS, Action, Circumstances, decide, decide_slice

ONE = Circumstances(now=NOW, batch_size=1, attempts=0, random_unit=0.0, visibility_seconds=7)
MANY = replace(ONE, batch_size=5)
#: It failed before, and others got through since.
FAILING = replace(ONE, failures=1)
LAST = TRANSIENT_ATTEMPTS - 1
REFUSED = RecordRefused("refused: 422", reason="http_422", field="email", status=422, detail="said so")
INVALID = RecordInvalid("acme", "users", "last_name", "fill it in")
UNSENT, ANSWERED = SystemUnavailable("unreachable", sent=False), SystemUnavailable("503", sent=True)

TABLE = [
    # error, circumstances, action, state of the write, attempts added, stops the slice
    (RateLimited("429", until=after(60)), ONE, "park", "not_sent", 0, True),
    (BudgetExhausted("used up", until=after(60)), MANY, "park", "not_sent", 0, True),
    (TokenRejected("401"), ONE, "block", "not_sent", 0, True),
    (PermissionMissing("403"), MANY, "block", "not_sent", 0, True),
    (CustomerInvalid("acme", "token", "give it"), ONE, "pause", "not_sent", 0, True),
    (DeadLetterLimitReached("too many"), ONE, "pause", "not_sent", 0, True),
    (REFUSED, ONE, "dead_letter", "refused", 1, False),
    (REFUSED, MANY, "bisect", "refused", 0, False),
    (INVALID, ONE, "dead_letter", "refused", 1, False),
    (INVALID, MANY, "bisect", "refused", 0, False),
    (EventUnreadable("x", reason="unknown_action"), ONE, "dead_letter", "refused", 1, False),
    (UNSENT, ONE, "retry", "not_sent", 0, True),
    (UNSENT, FAILING, "retry", "not_sent", 0, True),
    (ANSWERED, ONE, "retry", "unknown", 0, True),
    (ANSWERED, FAILING, "retry", "unknown", 1, True),
    (ANSWERED, replace(FAILING, is_outage=True, attempts=LAST), "retry", "unknown", 0, True),
    (ANSWERED, replace(FAILING, attempts=LAST - 1), "retry", "unknown", 1, True),
    (ANSWERED, replace(FAILING, attempts=LAST), "dead_letter", "unknown", 1, True),
    (ANSWERED, replace(FAILING, attempts=LAST, batch_size=2), "retry", "unknown", 1, True),
    (UnknownOutcome("no answer"), MANY, "retry", "unknown", 0, True),
    (UnknownOutcome("no answer"), replace(FAILING, attempts=LAST), "dead_letter", "unknown", 1, True),
    (PageUnreadable("html"), FAILING, "retry", "unknown", 1, True),
    (ZeroDivisionError("ours"), ONE, "retry", "unknown", 1, False),
    (ZeroDivisionError("ours"), replace(MANY, defects=1), "retry", "unknown", 1, False),
    (ZeroDivisionError("ours"), replace(ONE, attempts=50, defects=1), "retry", "unknown", 1, False),
    (ZeroDivisionError("ours"), replace(ONE, defects=2), "dead_letter", "unknown", 1, False),
    (SyncError("of no kind"), ONE, "retry", "unknown", 1, False),
]


@pytest.mark.parametrize(("error", "circumstances", "action", "state", "attempts", "stops"), TABLE)
def test_an_error_leads_to_one_action(error, circumstances, action, state, attempts, stops):
    verdict = decide(error, circumstances)

    assert (verdict.action, verdict.write_state) == (Action(action), WriteState(state))
    assert (verdict.attempts, verdict.stops_slice) == (attempts, stops)
    assert verdict.defects == isinstance(error, ZeroDivisionError) or type(error) is SyncError


SLICES = [
    # error, action, seconds until the customer is parked, a defect
    (LockLost("gone"), "stop", None, False),
    (RateLimited("429", until=after(60)), "park", 60, False),
    (BudgetExhausted("used up", until=after(61)), "park", 61, False),
    (BreakerOpen("in trouble", until=after(62)), "park", 62, False),
    (TokenRejected("401"), "block", None, False),
    (PermissionMissing("403"), "block", None, False),
    (CredentialsBlocked("since yesterday"), "block", None, False),
    (CustomerInvalid("acme", "token", "give it"), "pause", None, False),
    (DeadLetterLimitReached("too many"), "pause", None, False),
    (REFUSED, "pause", None, False),
    (UNSENT, "park", 3, False),
    (UnknownOutcome("no answer"), "park", 3, False),
    (PageUnreadable("html"), "park", 3, False),
    (ZeroDivisionError("ours"), "park", 60, True),
    (SyncError("of no kind"), "park", 60, True),
]


@pytest.mark.parametrize(("error", "action", "seconds", "is_defect"), SLICES)
def test_an_error_outside_a_write_leads_to_one_action_for_the_slice(error, action, seconds, is_defect):
    verdict = decide_slice(error, NOW)

    assert (verdict.action, verdict.is_defect) == (Action(action), is_defect)
    assert verdict.until == (None if seconds is None else after(seconds))


def test_a_defect_outside_a_write_is_told_by_its_type():
    assert decide_slice(ValueError("ada@example.org"), NOW).reason == "defect: ValueError; see the log"


def test_a_rate_limit_parks_until_it_was_told():
    assert decide(RateLimited("429", until=after(77)), ONE).until == after(77)


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 2), (2, 4), (7, 128), (30, 300)])
@pytest.mark.parametrize("is_outage", [True, False])
def test_a_retry_waits_the_longer_the_more_failures_there_were_counted_or_not(failures, seconds, is_outage):
    verdict = decide(UnknownOutcome("x"), replace(ONE, failures=failures, is_outage=is_outage))

    assert verdict.until == after(seconds)


def test_an_answer_leaves_only_the_index_to_wait_for_and_silence_the_whole_deadline():
    assert decide(ANSWERED, ONE).settles_at == after(7)
    assert decide(UnknownOutcome("x"), ONE).settles_at is None
    assert decide(UNSENT, ONE).settles_at is None


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_does_not_speak_for_the_server_behind_it(status):
    assert decide(SystemUnavailable("gateway", sent=True, status=status), ONE).settles_at is None


def test_a_refusal_keeps_the_field_the_status_and_what_was_said():
    refusal = decide(REFUSED, ONE).refusal

    assert (refusal.reason, refusal.field, refusal.status, refusal.detail) == ("http_422", "email", 422, "said so")


def test_a_defect_is_told_by_its_type_and_not_by_its_text():
    verdict = decide(ValueError("ada@example.org"), replace(ONE, defects=9))

    assert verdict.refusal.message.startswith("defect: ValueError")
    assert "ada@example.org" not in f"{verdict.reason} {verdict.refusal}"


def test_the_last_try_says_how_many_there_were_and_keeps_the_status():
    refusal = decide(SystemUnavailable("500", sent=True, status=500), replace(FAILING, attempts=LAST)).refusal

    assert (refusal.reason, refusal.status) == (GAVE_UP, 500)
    assert refusal.message == f"tried {TRANSIENT_ATTEMPTS} times while other requests got through; the last time: 500"


def test_a_number_of_tries_takes_longer_than_an_hour_in_which_one_route_is_out():
    waits = (decide(ANSWERED, replace(FAILING, failures=n)).until - NOW for n in range(TRANSIENT_ATTEMPTS))

    assert sum(wait.total_seconds() for wait in waits) > 6 * 3600


@pytest.mark.parametrize(("told", "seconds"), [(90, 90), (0.5, 1)])
def test_a_server_error_that_says_when_to_come_back_parks_the_customer_until_then(told, seconds):
    verdict = decide(SystemUnavailable("503", sent=True, retry_at=after(told)), ONE)

    assert (verdict.parked_until, verdict.until) == (after(told), after(seconds))
