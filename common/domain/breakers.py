"""Breakers: whether a customer's system may be asked at all. Pure: from a state and what happened to the next state.

    closed ──failures in a row──▶ open ──probe_at──▶ half_open ──the probe succeeds──▶ closed
       ▲                           ▲                     │
       │                           └────── it fails ─────┘  each time for longer
       └──verified── blocked ◀── 401 or 403, from any state

| state     | who may ask                                                    | `probe_at`                          |
|-----------|----------------------------------------------------------------|-------------------------------------|
| closed    | everybody                                                      | none                                |
| open      | nobody, and from `probe_at` on one caller: the probe           | when a probe may pass               |
| half_open | the probe that is out; past `probe_at` it counts as lost       | the lease of that probe             |
| blocked   | nobody, whatever the time: a person gives a token, or a right  | none                                |

Only the probe that is out may end `open`: it is known by its lease. What comes late from requests that passed before
says nothing of now, and is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from common.domain.errors import (
    BacklogFull,
    BreakerOpen,
    BudgetExhausted,
    BudgetUnavailable,
    CredentialsBlocked,
    RateLimited,
    RecordRefused,
    SystemUnavailable,
    UnknownOutcome,
)
from common.domain.retry import RetryPolicy


class BreakerState(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    BLOCKED = "blocked"


class Admission(StrEnum):
    """What a caller is told."""

    PASS = "pass"  # noqa: S105 - no password
    PROBE = "probe"  # as the only one, if nobody is faster
    WAIT = "wait"
    BLOCKED = "blocked"


class Effect(StrEnum):
    """What the end of a request says of the system."""

    ANSWERED = "answered"  # it is there
    FAILED = "failed"  # it is not
    REJECTED = "rejected"  # it is there, and does not want us
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """One breaker. The default is a closed one without a failure, which is stored nowhere."""

    state: BreakerState = BreakerState.CLOSED
    #: In a row, while closed.
    failures: int = 0
    #: Times it has opened in a row.
    openings: int = 0
    #: What was last wrong: safe to log, as `str()` of every error of ours.
    reason: str = ""
    probe_at: datetime | None = None

    @property
    def opened_until(self) -> datetime | None:
        """When the next probe may pass; None unless open."""
        return self.probe_at if self.state is BreakerState.OPEN else None


CLOSED = Breaker()


@dataclass(frozen=True, kw_only=True)
class BreakerPolicy:
    """When to open, and for how long."""

    #: Failures in a row that open it.
    failures: int = 5
    #: How long it stays open the first time; doubled each time in a row, up to the cap.
    first_seconds: float = 30.0
    cap_seconds: float = 600.0
    #: Up to this part of the time is added at random: customers of one system that failed together do not come back
    #: together.
    jitter_fraction: float = 0.1
    #: A probe that has said nothing for so long is lost with its process. More than the few requests of a probe can
    #: take at a deadline of 20 s each; outrunning it is harmless, for only the last probe's word counts.
    lease_seconds: float = 120.0

    def open_seconds(self, openings: int, random_unit: float) -> float:
        """How long it stays open the `openings`-th time in a row (1-based)."""
        waits = RetryPolicy(
            base_seconds=self.first_seconds, cap_seconds=self.cap_seconds, jitter_fraction=self.jitter_fraction
        )
        return waits.delay_seconds(openings, random_unit)


def admission(breaker: Breaker, now: datetime) -> Admission:
    """Who asks whether it may ask."""
    if breaker.state is BreakerState.CLOSED:
        return Admission.PASS
    if breaker.state is BreakerState.BLOCKED:
        return Admission.BLOCKED
    return Admission.WAIT if breaker.probe_at is not None and breaker.probe_at > now else Admission.PROBE


def probing(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> Breaker:
    """The probe goes out; `probe_at` is its lease, and what it is known by."""
    return replace(breaker, state=BreakerState.HALF_OPEN, probe_at=now + timedelta(seconds=policy.lease_seconds))


def after_success(breaker: Breaker, probe: datetime | None) -> Breaker:
    """`probe`: the lease of whoever says so; None: it passed a closed breaker."""
    return CLOSED if breaker.state is BreakerState.CLOSED or _is_out(breaker, probe) else breaker


def after_failure(
    breaker: Breaker, probe: datetime | None, *, reason: str, now: datetime, policy: BreakerPolicy, random_unit: float
) -> Breaker:
    """One more failure of a closed one; the probe's opens it again, for longer."""
    if _is_out(breaker, probe):
        return _opened(replace(breaker, reason=reason), now, policy, random_unit)
    if breaker.state is not BreakerState.CLOSED:
        return breaker
    failing = replace(breaker, failures=breaker.failures + 1, reason=reason)
    return failing if failing.failures < policy.failures else _opened(failing, now, policy, random_unit)


def after_return(breaker: Breaker, probe: datetime | None, now: datetime) -> Breaker:
    """The probe has asked nothing: the next caller is the probe."""
    return replace(breaker, state=BreakerState.OPEN, probe_at=now) if _is_out(breaker, probe) else breaker


def blocked(reason: str) -> Breaker:
    """The system does not accept the customer's credentials; whatever else was wrong matters no more."""
    return Breaker(state=BreakerState.BLOCKED, reason=reason)


def effect_of(error: Exception) -> Effect:
    """What a failed request says of the system. Anything but an outage is an answer, or was never sent.

    A page that is not what the API promises is neither: the run that reads it counts it.
    """
    if isinstance(error, BudgetExhausted | BudgetUnavailable | BreakerOpen | BacklogFull):
        return Effect.NOTHING
    if isinstance(error, SystemUnavailable | UnknownOutcome):
        return Effect.FAILED
    if isinstance(error, CredentialsBlocked):
        return Effect.REJECTED
    return Effect.ANSWERED if isinstance(error, RateLimited | RecordRefused) else Effect.NOTHING


def _is_out(breaker: Breaker, probe: datetime | None) -> bool:
    return breaker.state is BreakerState.HALF_OPEN and probe is not None and probe == breaker.probe_at


def _opened(breaker: Breaker, now: datetime, policy: BreakerPolicy, random_unit: float) -> Breaker:
    openings = breaker.openings + 1
    until = now + timedelta(seconds=policy.open_seconds(openings, random_unit))
    return replace(breaker, state=BreakerState.OPEN, openings=openings, probe_at=until)
