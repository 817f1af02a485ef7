"""What an open night needs next. Pure: from the night, the truth around it and the time to one step.

| phase         | seen                                              | step                                       |
|---------------|---------------------------------------------------|--------------------------------------------|
| any           | no worker has taken it up                         | START: the window begins                   |
| any           | the customer is continuous now                    | END, abandoned                             |
| prerequisites | paused, no token, token rejected, settings refused| END, failed                                |
|               | the deadline                                      | END, failed                                |
|               | a breaker is open, or the customer is parked      | WAIT until then                            |
|               | a system has not answered                         | PROBE it                                   |
|               | both have                                         | READ                                       |
| read          | the source rejects the token                      | END, failed                                |
|               | all are read; or one that is not was read on, and | APPLY                                      |
|               | the last third of the window has begun            |                                            |
|               | the deadline                                      | END, failed                                |
|               | a resource is unread and nobody is at it          | ASK for its run                            |
|               | a resource is unread                              | WAIT                                       |
| apply         | the destination rejects the token                 | END, failed                                |
|               | the deadline; nothing is due before it            | END; failed if something was in the way    |
|               | else                                              | WAIT                                       |
| report        |                                                   | FINISH                                     |

A destination that was away is in the way of a night that could apply nothing; one that applied a part is completed, and
what it has left is the next night's. So is the rest of a reading that has outlasted its window.

A reason names the dependency first: `source` or `destination`, then token, breaker, budget or reachability.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from common.domain.breakers import CLOSED, Breaker, BreakerState
from common.domain.customers import System
from common.domain.nights import REACHED, Finding, Night, NightState, Phase

#: How often a night that waits for others is looked at: one query, and a night has hours.
LOOK_SECONDS = 15.0
#: Resources named in a reason.
NAMED = 5
#: The part of a window that is left for applying by a reading that goes on the next night: of six hours two, in which
#: 2,400 writes fit at 1,200 an hour.
APPLYING_SHARE = 1 / 3


class Act(StrEnum):
    """What is done."""

    START = "start"
    PROBE = "probe"
    READ = "read"
    ASK = "ask"
    APPLY = "apply"
    END = "end"
    FINISH = "finish"
    WAIT = "wait"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do."""

    act: Act
    #: WAIT: not looked at before.
    until: datetime | None = None
    #: PROBE: which.
    system: System | None = None
    #: ASK: whose runs.
    resources: Sequence[str] = ()
    #: END: how, and why.
    verdict: NightState | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What PostgreSQL says around a night."""

    is_nightly: bool = True
    #: Why the customer does not work; empty: it does.
    paused: str = ""
    parked_until: datetime | None = None
    parked_reason: str = ""
    #: Systems that there is a token for.
    tokens: Collection[System] = frozenset(System)
    breakers: Mapping[System, Breaker] = field(default_factory=dict)
    #: Resources without a final run that began in this night ...
    unread: Sequence[str] = ()
    #: ... of these, those that nobody is at and nobody was asked for.
    idle: Sequence[str] = ()
    #: Resources whose last run of this night failed.
    failed: Sequence[str] = ()
    #: Whether one of those that are unread was read on in this night.
    has_read_on: bool = False
    #: Whether an event is due, or will be before the deadline.
    has_work: bool = False
    #: Looked at where applying ends: whether the destination has taken an event in this night, or confirmed one, ...
    has_applied: bool = False
    #: ... and what it said to one that was tried in vain, and is open.
    outage: str = ""


def decide(night: Night, truth: Truth, now: datetime) -> Step:
    """The next step; it is WAIT, until a later moment, or it changes the night."""
    if night.phase is Phase.REPORT:
        return Step(act=Act.FINISH)
    if not truth.is_nightly:
        return _end("the customer is continuous now", NightState.ABANDONED)
    if night.started_at is None or night.deadline_at is None:
        return Step(act=Act.START)
    return _OF_PHASE[night.phase](night, truth, now, night.deadline_at)


def _prerequisites(night: Night, truth: Truth, now: datetime, deadline: datetime) -> Step:
    if lacking := _lacking(night, truth):
        return _end(lacking)
    held, why = _held_until(truth, now)
    missing = next((system for system in System if not _is_reached(night, system) or _broken(truth, system)), None)
    if now >= deadline and (why or missing):
        return _end(why or _unreached(night, missing))
    if held is not None:
        return _wait(min(held, deadline))
    return Step(act=Act.READ) if missing is None else Step(act=Act.PROBE, system=missing)


def _read(night: Night, truth: Truth, now: datetime, deadline: datetime) -> Step:
    if rejected := _rejected(truth, System.SOURCE):
        return _end(rejected)
    window = deadline - (night.started_at or deadline)
    if not truth.unread or (truth.has_read_on and now >= deadline - APPLYING_SHARE * window):
        return Step(act=Act.APPLY)
    if now >= deadline:
        trouble = _broken(truth, System.SOURCE) or "source: time"
        return _end(f"{trouble}: not all was read by the deadline: {_names(truth.unread)}")
    if truth.idle and not truth.paused:
        return Step(act=Act.ASK, resources=truth.idle)
    return _wait(min(now + timedelta(seconds=LOOK_SECONDS), deadline))


def _apply(night: Night, truth: Truth, now: datetime, deadline: datetime) -> Step:
    del night
    if rejected := _rejected(truth, System.DESTINATION):
        return _end(rejected)
    if not ends_applying(truth, now, deadline):
        return _wait(min(now + timedelta(seconds=LOOK_SECONDS), deadline))
    failed = f"source: the runs of {_names(truth.failed)} failed; see `fleet runs list`" if truth.failed else ""
    if trouble := _in_the_way(truth) or failed:
        return _end(trouble)
    goes_on = f"source: time: the reading goes on next night: {_names(truth.unread)}" if truth.unread else ""
    return _end(goes_on, NightState.COMPLETED)


def ends_applying(truth: Truth, now: datetime, deadline: datetime) -> bool:
    """Whether a night that applies can do no more."""
    is_parked = truth.parked_until is not None and truth.parked_until >= deadline
    return not truth.has_work or is_parked or now >= deadline


_OF_PHASE: Mapping[Phase, Callable[[Night, Truth, datetime, datetime], Step]] = {
    Phase.PREREQUISITES: _prerequisites,
    Phase.READ: _read,
    Phase.APPLY: _apply,
}


def _end(reason: str, verdict: NightState = NightState.FAILED) -> Step:
    """Without a reason, all is well."""
    return Step(act=Act.END, verdict=verdict if reason else NightState.COMPLETED, reason=reason)


def _wait(until: datetime) -> Step:
    return Step(act=Act.WAIT, until=until)


def _lacking(night: Night, truth: Truth) -> str:
    """What no waiting will bring."""
    if truth.paused:
        return f"customer: paused: {truth.paused}"
    for system in System:
        if system not in truth.tokens:
            return f"{system} token: missing; give it with `fleet customers token`"
        if rejected := _rejected(truth, system):
            return rejected
        probe = night.probes.get(system)
        if probe is not None and probe.finding is Finding.REFUSED:
            return f"{system} probe: refused: {probe.said}"
    return ""


def _rejected(truth: Truth, system: System) -> str:
    breaker = truth.breakers.get(system, CLOSED)
    return f"{system} token: rejected: {breaker.reason}" if breaker.state is BreakerState.BLOCKED else ""


def _held_until(truth: Truth, now: datetime) -> tuple[datetime | None, str]:
    """Until when nobody may ask, and what stands in the way; None and a reason: a probe of the breaker may go."""
    for system in System:
        breaker = truth.breakers.get(system, CLOSED)
        if broken := _broken(truth, system):
            return (breaker.probe_at if breaker.probe_at and breaker.probe_at > now else None), broken
    if truth.parked_until is not None and truth.parked_until > now:
        return truth.parked_until, f"destination budget: parked: {truth.parked_reason}"
    return None, ""


def _broken(truth: Truth, system: System) -> str:
    breaker = truth.breakers.get(system, CLOSED)
    is_open = breaker.state in (BreakerState.OPEN, BreakerState.HALF_OPEN)
    return f"{system} breaker: open: {breaker.reason}" if is_open else ""


def _is_reached(night: Night, system: System) -> bool:
    probe = night.probes.get(system)
    return probe is not None and probe.finding in REACHED


def _unreached(night: Night, system: System | None) -> str:
    probe = night.probes.get(system) if system else None
    return f"{system} reachability: {probe.said if probe else 'the probe was not answered'}"


def _in_the_way(truth: Truth) -> str:
    """What kept a night from applying; empty: it was at work, or had none."""
    if truth.paused and truth.has_work:
        return f"customer: paused: {truth.paused}"
    return "" if truth.has_applied else _outage(truth)


def _outage(truth: Truth) -> str:
    """Of a destination that has taken nothing; empty: nobody has asked it in vain."""
    if truth.has_work and (broken := _broken(truth, System.DESTINATION)):
        return broken
    # Fewer failures than open a breaker: of looking, if no event was sent.
    looked = truth.breakers.get(System.DESTINATION, CLOSED).reason if truth.has_work else ""
    said = truth.outage or looked
    return f"destination reachability: nothing could be applied: {said}" if said else ""


def _names(resources: Sequence[str]) -> str:
    more = f" and {len(resources) - NAMED} more" if len(resources) > NAMED else ""
    return ", ".join(resources[:NAMED]) + more
