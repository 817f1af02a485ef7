"""From an error to an action. Pure; the only place that decides what an error leads to.

Of a request that writes (`decide`):

| error                         | action          | attempts | events                       | the write   |
|-------------------------------|-----------------|----------|------------------------------|-------------|
| RateLimited, BudgetExhausted  | PARK until told | +0       | stay as they are             | not sent    |
| BudgetExhausted, not live     | WAIT until told | +0       | not before then              | not sent    |
| CredentialsBlocked            | BLOCK           | +0       | stay as they are             | not sent    |
| other CustomerBlocked         | PAUSE           | +0       | stay as they are             | not sent    |
| PermanentError, one write     | DEAD_LETTER     | +1       | dead-lettered                | refused     |
| PermanentError, several       | BISECT          | +0       | each half again              | refused     |
| SystemUnavailable, not sent   | RETRY           | +0       | after backoff                | not sent    |
| BudgetUnavailable             | RETRY           | +0       | after backoff                | not sent    |
| SystemUnavailable, answered   | RETRY           | see next | after backoff, look first    | unknown     |
| UnknownOutcome                | RETRY           | see next | once it has settled          | unknown     |
| anything else: a defect       | RETRY, then     | +1       | after backoff, then          | unknown     |
|                               | DEAD_LETTER     |          | dead-lettered                |             |

What a system in trouble says is no fault of an event's: an outage, however long, costs no attempts. A failure counts
only if the destination had just answered something else of the customer's, and if it was not the event's first: the
first of an outage looks just so. The TRANSIENT_ATTEMPTS-th that counts is a dead letter. Whatever counts, the backoff
grows with each failure, and the breaker keeps everybody from a system that answers nobody.

| class                         | wait between tries                           | tries              |
|-------------------------------|----------------------------------------------|--------------------|
| 429, budget                   | until told (`Retry-After`, up to a day)      | without limit      |
| unreachable, outage           | BACKOFF, and the breaker's 30 s to 10 min    | without limit      |
| 5xx, no answer, of one event  | BACKOFF: equal jitter, 1-2 s to 5-10 min     | TRANSIENT_ATTEMPTS |
| defect                        | BACKOFF                                      | DEFECT_ATTEMPTS    |
| refused, invalid, unreadable  | none                                         | one                |

An answer with a `Retry-After` parks the customer until then, whatever its status.

Of a slice in which nothing was being written (`decide_slice`): a look-up failed, or it may not begin. No event of it
has ended by that, and none counts an attempt. What a look-up was for that the system answered badly, or not at all, is
put off by BACKOFF besides, and asked for alone in the end: one record that breaks its look-up keeps no other waiting.
A look-up that is refused for one record, and not for the others, makes that one a dead letter (see `asking`).

| error                         | action          | until                                                   |
|-------------------------------|-----------------|---------------------------------------------------------|
| Interrupted                   | STOP            | another owner goes on                                   |
| RateLimited, BreakerOpen      | PARK            | told                                                    |
| CredentialsBlocked            | BLOCK           | verified                                                |
| other CustomerBlocked         | PAUSE           | resumed                                                 |
| PermanentError                | PAUSE           | resumed: look-ups are refused for several, or in doubt  |
| TransientError                | PARK            | LOOK_AGAIN_SECONDS; later if it has opened the breaker  |
| anything else: a defect       | PARK            | DEFECT_SECONDS: it comes again, but not in a loop       |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from common.domain.errors import (
    BudgetExhausted,
    BudgetUnavailable,
    CredentialsBlocked,
    CustomerBlocked,
    Interrupted,
    PermanentError,
    RateLimited,
    SystemUnavailable,
    TransientError,
)
from common.domain.limits import Share
from common.domain.retry import RetryPolicy
from common.domain.writes import Refusal, WriteState

BACKOFF = RetryPolicy(base_seconds=1.0, cap_seconds=300.0)
#: A defect of ours is not healed by patience: once it has come this many times, a person must see it. Outages that
#: the event has met besides do not count.
DEFECT_ATTEMPTS = 3
#: Of failures that count, the one that makes a dead letter. With the backoff they take seven hours at the least: one
#: route of a destination may be out for longer than an hour while others answer, and nothing may be lost by that.
TRANSIENT_ATTEMPTS = 90
#: Why, for whoever reads the letter.
GAVE_UP = "no_success"
#: A gateway's answer tells nothing of the server behind it, which may still be at work.
GATEWAY_ANSWERS = frozenset({502, 504})
#: After this many failed requests an event is sent alone, so that one which breaks a request spoils no other's.
ALONE_AFTER_FAILURES = 3
#: ... and after this many defects, so that the one more that makes a dead letter makes one, and not a batch of them.
ALONE_AFTER_DEFECTS = DEFECT_ATTEMPTS - 1
#: How long a customer waits when its destination could not even be looked at.
LOOK_AGAIN_SECONDS = 3.0
#: How long a customer waits after a defect of ours outside any single event.
DEFECT_SECONDS = 60.0


class Action(StrEnum):
    """What to do with the writes of a failed request, or with a slice."""

    RETRY = "retry"
    PARK = "park"
    WAIT = "wait"
    BLOCK = "block"
    PAUSE = "pause"
    STOP = "stop"
    BISECT = "bisect"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An action and what it needs."""

    action: Action
    write_state: WriteState
    attempts: int = 0
    failures: int = 0
    defects: int = 0
    #: RETRY, WAIT: the events' earliest; PARK: the customer's.
    until: datetime | None = None
    #: RETRY: the customer's earliest, where the system said when to come back.
    parked_until: datetime | None = None
    #: RETRY: when nothing of the request can be under way any more; None: what the intent says.
    settles_at: datetime | None = None
    reason: str = ""
    refusal: Refusal | None = None
    #: The system, not a record, is in trouble: the rest of the slice would fare no better.
    stops_slice: bool = False


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a verdict depends on besides the error."""

    now: datetime
    #: Writes in the failed request.
    batch_size: int
    #: Most attempts any of its events has had before this one.
    attempts: int
    random_unit: float
    #: Most requests that any of them was in and that failed, before this one.
    failures: int = 0
    #: The destination had answered nothing of this customer's since it failed before.
    is_outage: bool = False
    #: Most defects any of them has had before this one.
    defects: int = 0
    #: The destination's, as in `common.domain.destinations`.
    visibility_seconds: float
    share: Share = Share.LIVE


def decide(error: Exception, circumstances: Circumstances) -> Verdict:
    """What to do about `error`."""
    if isinstance(error, RateLimited):
        # Of what can wait a share is used up, and not the budget: live changes of the customer go on.
        waits = isinstance(error, BudgetExhausted) and circumstances.share is not Share.LIVE
        action = Action.WAIT if waits else Action.PARK
        return Verdict(
            action=action, write_state=WriteState.NOT_SENT, until=error.until, reason=str(error), stops_slice=True
        )
    if isinstance(error, CustomerBlocked):
        action = _block_or_pause(error)
        return Verdict(action=action, write_state=WriteState.NOT_SENT, reason=str(error), stops_slice=True)
    if isinstance(error, PermanentError):
        return _refused(error, circumstances)
    if isinstance(error, TransientError):
        return _transient(error, circumstances)
    return _defect(error, circumstances)


@dataclass(frozen=True, kw_only=True)
class SliceVerdict:
    """An action, until when, and why."""

    action: Action
    reason: str
    #: PARK: the customer's earliest.
    until: datetime | None = None
    is_defect: bool = False


def decide_slice(error: Exception, now: datetime) -> SliceVerdict:
    """What to do about an error outside any write."""
    if isinstance(error, Interrupted):
        return SliceVerdict(action=Action.STOP, reason=str(error))
    if isinstance(error, RateLimited):
        return SliceVerdict(action=Action.PARK, reason=str(error), until=error.until)
    if isinstance(error, CustomerBlocked):
        return SliceVerdict(action=_block_or_pause(error), reason=str(error))
    if isinstance(error, PermanentError):
        # No slice of this customer would fare better.
        return SliceVerdict(action=Action.PAUSE, reason=f"its destination refuses look-ups: {error}")
    if isinstance(error, TransientError):
        soon = now + timedelta(seconds=LOOK_AGAIN_SECONDS)
        return SliceVerdict(action=Action.PARK, reason=str(error), until=soon)
    reason = f"defect: {type(error).__name__}; see the log"
    later = now + timedelta(seconds=DEFECT_SECONDS)
    return SliceVerdict(action=Action.PARK, reason=reason, until=later, is_defect=True)


def _block_or_pause(error: CustomerBlocked) -> Action:
    """Rejected credentials: the breaker keeps everybody from that system, and the customer is polled on."""
    return Action.BLOCK if isinstance(error, CredentialsBlocked) else Action.PAUSE


def _refused(error: PermanentError, circumstances: Circumstances) -> Verdict:
    if circumstances.batch_size > 1:
        return Verdict(action=Action.BISECT, write_state=WriteState.REFUSED, reason=error.reason)
    refusal = Refusal(
        reason=error.reason, message=str(error), field=error.field, status=error.status, detail=error.detail
    )
    return Verdict(
        action=Action.DEAD_LETTER, write_state=WriteState.REFUSED, attempts=1, reason=error.reason, refusal=refusal
    )


def _transient(error: TransientError, circumstances: Circumstances) -> Verdict:
    unsent = isinstance(error, SystemUnavailable) and not error.sent
    answered = isinstance(error, SystemUnavailable) and error.sent and error.status not in GATEWAY_ANSWERS
    told = error.retry_at if isinstance(error, SystemUnavailable) else None
    counts = not unsent and not circumstances.is_outage and circumstances.failures > 0
    verdict = Verdict(
        action=Action.RETRY,
        write_state=WriteState.NOT_SENT if unsent else WriteState.UNKNOWN,
        attempts=int(counts),
        # That our own count cannot be asked is nothing the event could help.
        failures=0 if isinstance(error, BudgetUnavailable) else 1,
        until=max(_after_backoff(circumstances), told or circumstances.now),
        parked_until=told,
        # An answer, even a bad one, ends the request: only the indexing lag is left to wait for.
        settles_at=circumstances.now + timedelta(seconds=circumstances.visibility_seconds) if answered else None,
        reason=str(error),
        stops_slice=True,
    )
    return _given_up(verdict, error, circumstances) if counts else verdict


def may_be_a_records(error: TransientError) -> bool:
    """Whether a look-up may have failed for the sake of one of the records that it was for, and not of the system."""
    if isinstance(error, RateLimited | BudgetUnavailable):
        return False
    return not isinstance(error, SystemUnavailable) or error.sent


def after_backoff(failures: int, now: datetime, random_unit: float) -> datetime:
    """When to try again what has failed once more, after so many times before."""
    return now + timedelta(seconds=BACKOFF.delay_seconds(failures + 1, random_unit))


def _after_backoff(circumstances: Circumstances) -> datetime:
    return after_backoff(circumstances.failures, circumstances.now, circumstances.random_unit)


def _given_up(verdict: Verdict, error: TransientError, circumstances: Circumstances) -> Verdict:
    """As it was, unless it was the last try. One of several is not given up: it has yet to be tried alone."""
    tries = circumstances.attempts + 1
    if tries < TRANSIENT_ATTEMPTS or circumstances.batch_size > 1:
        return verdict
    message = f"tried {tries} times while other requests got through; the last time: {error}"
    refusal = Refusal(reason=GAVE_UP, message=message, status=error.status, detail=error.detail)
    return replace(verdict, action=Action.DEAD_LETTER, until=None, reason=GAVE_UP, refusal=refusal)


def _defect(error: Exception, circumstances: Circumstances) -> Verdict:
    said = f"defect: {type(error).__name__}"
    if circumstances.defects + 1 >= DEFECT_ATTEMPTS:
        refusal = Refusal(reason="defect", message=f"{said}; see the log for this event's trace id")
        return Verdict(
            action=Action.DEAD_LETTER, write_state=WriteState.UNKNOWN, attempts=1, failures=1, defects=1,
            reason="defect", refusal=refusal,
        )  # fmt: skip
    return Verdict(
        action=Action.RETRY, write_state=WriteState.UNKNOWN, attempts=1, failures=1, defects=1,
        until=_after_backoff(circumstances), reason=said,
    )  # fmt: skip
