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
| SystemUnavailable, not sent   | RETRY           | +1       | after backoff                | not sent    |
| BudgetUnavailable             | RETRY           | +0       | after backoff                | not sent    |
| SystemUnavailable, answered   | RETRY           | +1       | after backoff, look first    | unknown     |
| UnknownOutcome                | RETRY           | +1       | once it has settled          | unknown     |
| anything else: a defect       | RETRY, then     | +1       | after backoff, then          | unknown     |
|                               | DEAD_LETTER     |          | dead-lettered                |             |

Of a slice in which nothing was being written (`decide_slice`): a look-up failed, or it may not begin. No event of it
has ended by that, and none counts an attempt.

| error                         | action          | until                                                   |
|-------------------------------|-----------------|---------------------------------------------------------|
| Interrupted                   | STOP            | another owner goes on                                   |
| RateLimited, BreakerOpen      | PARK            | told                                                    |
| CredentialsBlocked            | BLOCK           | verified                                                |
| other CustomerBlocked         | PAUSE           | resumed                                                 |
| PermanentError                | PAUSE           | resumed: no record was refused but a look-up            |
| TransientError                | PARK            | LOOK_AGAIN_SECONDS; later if it has opened the breaker  |
| anything else: a defect       | PARK            | DEFECT_SECONDS: it comes again, but not in a loop       |
"""

from __future__ import annotations

from dataclasses import dataclass
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
#: A gateway's answer tells nothing of the server behind it, which may still be at work.
GATEWAY_ANSWERS = frozenset({502, 504})
#: After this many failed attempts an event is sent alone, so that one which breaks a request spoils no other's.
ALONE_AFTER_ATTEMPTS = 3
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
    defects: int = 0
    #: RETRY, WAIT: the events' earliest; PARK: the customer's.
    until: datetime | None = None
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
    until = circumstances.now + timedelta(
        seconds=BACKOFF.delay_seconds(circumstances.attempts + 1, circumstances.random_unit)
    )
    answered = isinstance(error, SystemUnavailable) and error.sent and error.status not in GATEWAY_ANSWERS
    unsent = isinstance(error, SystemUnavailable) and not error.sent
    return Verdict(
        action=Action.RETRY,
        write_state=WriteState.NOT_SENT if unsent else WriteState.UNKNOWN,
        # That our own count cannot be asked is nothing the event could help.
        attempts=0 if isinstance(error, BudgetUnavailable) else 1,
        until=until,
        # An answer, even a bad one, ends the request: only the indexing lag is left to wait for.
        settles_at=circumstances.now + timedelta(seconds=circumstances.visibility_seconds) if answered else None,
        reason=str(error),
        stops_slice=True,
    )


def _defect(error: Exception, circumstances: Circumstances) -> Verdict:
    said = f"defect: {type(error).__name__}"
    if circumstances.defects + 1 >= DEFECT_ATTEMPTS:
        refusal = Refusal(reason="defect", message=f"{said}; see the log for this event's trace id")
        return Verdict(
            action=Action.DEAD_LETTER, write_state=WriteState.UNKNOWN, attempts=1, defects=1, reason="defect",
            refusal=refusal,
        )  # fmt: skip
    until = circumstances.now + timedelta(
        seconds=BACKOFF.delay_seconds(circumstances.attempts + 1, circumstances.random_unit)
    )
    return Verdict(action=Action.RETRY, write_state=WriteState.UNKNOWN, attempts=1, defects=1, until=until, reason=said)
