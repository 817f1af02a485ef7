"""Verdicts against a table of their own, over every error there is: a new class without a line here fails.

The table says what an operator is told, class by class, in words; the product decides by ancestors and circumstances.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOW
from support.effort import effort

from common.domain import errors
from common.domain.errors import BudgetExhausted, RateLimited, SyncError
from common.domain.limits import Share
from common.domain.writes import WriteState
from processor.verdicts import Action, Circumstances, Verdict, decide, decide_slice

#: The most that any backoff comes to, in seconds: five minutes, and as much again at random.
LONGEST_BACKOFF = 600.0
DEFECTS = 3
TRIES = 90
LATER = NOW + timedelta(seconds=77)


@dataclass(frozen=True)
class Expected:
    """What the request's events come to, and what its slice would."""

    alone: str
    together: str
    slice: str
    #: Attempts that it costs.
    attempts: int = 0
    #: Something may have landed: look before it is written again.
    is_unknown: bool = False


TOLD = Expected("park", "park", "park")
BLOCKED, PAUSED = Expected("block", "block", "block"), Expected("pause", "pause", "pause")
REFUSED = Expected("dead_letter", "bisect", "pause", attempts=1)
#: Counts if it is this event's alone, and the last of a great many that count is a letter.
UNKNOWN = Expected("alone", "alone", "park", is_unknown=True)
OURS = Expected("defect", "defect", "park", 1, is_unknown=True)

#: By class name: how one is made, and what it leads to.
TABLE: Mapping[str, tuple[Callable[[type], Exception], Expected]] = {
    "TransientError": (lambda kind: kind("x"), UNKNOWN),
    "SystemUnavailable": (lambda kind: kind("x", sent=True), UNKNOWN),
    "BudgetUnavailable": (lambda kind: kind("x", sent=False), Expected("retry", "retry", "park")),
    "UnknownOutcome": (lambda kind: kind("x"), UNKNOWN),
    "PageUnreadable": (lambda kind: kind("x"), UNKNOWN),
    **dict.fromkeys(
        ("RateLimited", "BreakerOpen", "BacklogFull", "OutsideHours"), (lambda kind: kind("x", until=LATER), TOLD)
    ),
    "BudgetExhausted": (lambda kind: kind("x", until=LATER), Expected("share", "share", "park")),
    **dict.fromkeys(
        ("PermanentError", "RecordRefused", "EventUnreadable"), (lambda kind: kind("x", reason="why"), REFUSED)
    ),
    "RecordInvalid": (lambda kind: kind("acme", "users", "email", "mend it"), REFUSED),
    "CustomerInvalid": (lambda kind: kind("acme", "field", "mend it"), PAUSED),
    **dict.fromkeys(("CustomerBlocked", "DeadLetterLimitReached"), (lambda kind: kind("x"), PAUSED)),
    **dict.fromkeys(("CredentialsBlocked", "TokenRejected", "PermissionMissing"), (lambda kind: kind("x"), BLOCKED)),
    # Not of a write: were they ever, they would be defects.
    **dict.fromkeys(("SyncError", "CursorExpired", "ConfigurationError"), (lambda kind: kind("x"), OURS)),
    **dict.fromkeys(
        ("Interrupted", "RunFenced", "LockLost"),
        (lambda kind: kind("x"), Expected("defect", "defect", "stop", 1, is_unknown=True)),
    ),
}
BUILT_IN = (ZeroDivisionError, KeyError, TimeoutError, MemoryError, UnicodeError)


def every_class() -> list[type]:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SyncError)]
    return [*found, *BUILT_IN]


def made(kind: type) -> tuple[Any, Expected]:
    make, expected = TABLE.get(kind.__name__, (lambda each: each("x"), OURS))
    return make(kind), expected


def test_every_error_has_a_line():
    assert {kind.__name__ for kind in every_class()} - {kind.__name__ for kind in BUILT_IN} == TABLE.keys()


circumstances = st.builds(
    Circumstances, now=st.just(NOW), batch_size=st.integers(1, 100),
    attempts=st.one_of(st.integers(0, 100), st.integers(0, 10**6)),
    failures=st.integers(0, 100), is_outage=st.booleans(),
    defects=st.integers(0, 10), random_unit=st.floats(0, 1, exclude_max=True),
    visibility_seconds=st.sampled_from((0.0, 30.0)), share=st.sampled_from(Share),
)  # fmt: skip


@effort(20)
@given(drawn=circumstances)
@pytest.mark.parametrize("kind", every_class())
def test_every_error_has_one_verdict_in_all_circumstances(kind, drawn):
    error, expected = made(kind)
    verdict = decide(error, drawn)
    wanted = expected.alone if drawn.batch_size == 1 else expected.together
    if wanted == "defect":
        wanted = "dead_letter" if drawn.defects + 1 >= DEFECTS else "retry"
    if wanted == "share":
        wanted = "park" if drawn.share is Share.LIVE else "wait"
    attempts = expected.attempts if wanted != "bisect" else 0
    if wanted == "alone":
        attempts = int(drawn.failures > 0 and not drawn.is_outage)
        wanted = "dead_letter" if attempts and drawn.batch_size == 1 and drawn.attempts + 1 >= TRIES else "retry"

    assert (verdict.action, verdict.attempts) == (Action(wanted), attempts)
    assert (verdict.write_state is WriteState.UNKNOWN) == expected.is_unknown
    assert verdict.reason or not str(error)
    check_time(verdict, error)
    check_slice(error, expected)


def check_time(verdict: Verdict, error: Exception) -> None:
    if isinstance(error, RateLimited):
        assert verdict.until == LATER, "a time that was told is obeyed to the second"
    elif verdict.action is Action.RETRY:
        assert verdict.until is not None
        assert 0 < seconds(verdict.until) <= LONGEST_BACKOFF
    else:
        assert verdict.until is None


def check_slice(error: Exception, expected: Expected) -> None:
    verdict = decide_slice(error, NOW)
    assert verdict.action is Action(expected.slice)
    assert (verdict.until is not None) == (verdict.action is Action.PARK)
    if isinstance(error, RateLimited):
        assert verdict.until == LATER


def seconds(moment: datetime) -> float:
    return (moment - NOW).total_seconds()


@effort(20)
@given(attempts=st.integers(0, 10**6), unit=st.floats(0, 1, exclude_max=True), kind=st.sampled_from(every_class()))
def test_however_long_an_outage_lasts_it_makes_no_dead_letter(attempts, unit, kind):
    """Attempts alone never end an event: only a refusal, or a defect of ours that has come three times, does."""
    error, expected = made(kind)
    drawn = Circumstances(now=NOW, batch_size=1, attempts=attempts, random_unit=unit, visibility_seconds=0.0)
    if expected.alone != "dead_letter":
        assert decide(error, drawn).action is not Action.DEAD_LETTER


@effort(20)
@given(told=st.integers(0, 90_000), kind=st.sampled_from((RateLimited, BudgetExhausted)))
def test_retry_after_costs_no_attempt_and_is_obeyed(told, kind):
    until = NOW + timedelta(seconds=told)
    drawn = Circumstances(now=NOW, batch_size=1, attempts=5, random_unit=0.9, visibility_seconds=0.0)
    verdict = decide(kind("x", until=until), drawn)

    assert (verdict.until, verdict.attempts, verdict.write_state) == (until, 0, WriteState.NOT_SENT)
