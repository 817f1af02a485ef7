"""Nights are advanced here: one step after the other while there is something to do now.

A step looks at the truth in PostgreSQL, decides (`common.domain.night_steps`), does one thing and records it. Whatever
it does may be done twice: a kill between doing and recording costs no more than that. The lock keeps two workers from
asking twice; it is not what keeps the row right, for the row is changed only in the phase that was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from common.domain.clock import Clock
from common.domain.customers import Customer, Mode, System
from common.domain.night_reports import NightReport
from common.domain.night_steps import Act, Step, Truth, decide, ends_applying
from common.domain.nights import Night, NightState, NightStore, Phase, Probe
from common.domain.passages import Breakers
from common.domain.retry import RetryPolicy
from common.domain.stores import CustomerStore, Locks
from common.storage.night_truth import PostgresNightTruth

log = structlog.get_logger(__name__)

#: Between probes of a system that is not there: a night has hours, and an outage mostly minutes.
BACKOFF = RetryPolicy(base_seconds=15.0, cap_seconds=600.0)
#: More steps at a time than a night has phases and systems: only a defect takes them all, and it must not spin.
MOST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class NightPolicy:
    """What the settings say of nights."""

    window_hours: float = 6.0
    #: Of all that ended; above it, an alert.
    failure_percent: float = 5.0
    failures_before_pause: int = 3
    pause_hours: float = 24.0


@dataclass(frozen=True, kw_only=True)
class NightParts:
    """What a night works with."""

    store: NightStore
    truth: PostgresNightTruth
    customers: CustomerStore
    breakers: Breakers
    locks: Locks
    clock: Clock
    random_unit: Callable[[], float]
    policy: NightPolicy
    resources: Callable[[Customer], Sequence[str]]
    #: Asks the source whether it is there.
    probe_source: Callable[[Customer], Probe]
    #: Has a processor ask the destination, which writes what it finds into the night.
    ask_destination: Callable[[Customer], None]
    #: A night begins to apply: what is due may be served.
    announce: Callable[[Customer], None]
    #: When the customer's next slot after a moment comes.
    next_slot: Callable[[Customer, datetime], datetime]


def advance(parts: NightParts, customer_id: str, *, at_once: bool = False) -> Night | None:
    """Take steps until one is to wait; returns the open night as it is then. None: there is none.

    `at_once`: also before the moment it asked to be looked at again, because something has just ended.
    """
    with parts.locks.try_hold(f"night/{customer_id}") as held:
        night = parts.store.current(customer_id)
        for _ in range(MOST_STEPS):
            if held is None or night is None or (night.next_step_at > parts.clock.now() and not at_once):
                return night
            at_once = _take_step(parts, night)
            night = parts.store.current(customer_id)
    return night


def _take_step(parts: NightParts, night: Night) -> bool:
    """Whether the next one may follow at once."""
    customer, now = parts.customers.get(night.customer_id), parts.clock.now()
    step = decide(night, _truth(parts, night, customer, now), now)
    log.info("night step", action=f"night.{step.act}", phase=night.phase, why=step.reason)
    if step.act is Act.WAIT:
        parts.store.save(night, next_step_at=step.until)
        return False
    _DO[step.act](parts, night, customer, step, now)
    return step.act is not Act.PROBE


def _truth(parts: NightParts, night: Night, customer: Customer, now: datetime) -> Truth:
    reading = (
        parts.truth.reading(night, parts.resources(customer)) if night.phase in (Phase.READ, Phase.APPLY) else None
    )
    truth = Truth(
        is_nightly=customer.mode is Mode.NIGHTLY,
        paused="" if customer.is_active else customer.status_reason or str(customer.status),
        parked_until=customer.parked_until,
        parked_reason=customer.parked_reason,
        tokens=parts.truth.tokens(customer.customer_id),
        breakers=parts.breakers.of(customer.customer_id),
        unread=reading.unread if reading else (),
        idle=reading.idle if reading else (),
        failed=reading.failed if reading else (),
        has_read_on=reading is not None and parts.truth.has_read_on(night, reading.unread),
        has_work=night.phase is Phase.APPLY and parts.truth.has_work(night, now),
    )
    if night.phase is Phase.APPLY and ends_applying(truth, now, night.deadline_at or now):
        applying = parts.truth.applying(night)
        return replace(truth, has_applied=applying.has_applied, outage=applying.outage)
    return truth


def _start(parts: NightParts, night: Night, _customer: Customer, _step: Step, now: datetime) -> None:
    deadline = now + timedelta(hours=parts.policy.window_hours)
    carried = parts.truth.under_way(night.customer_id)
    parts.store.save(night, started_at=now, deadline_at=deadline, carried=carried)


def _probe(parts: NightParts, night: Night, customer: Customer, step: Step, now: datetime) -> None:
    """First when to ask again, so that a worker that dies while it asks does not keep the night from it."""
    attempts = night.attempts + 1
    again = now + timedelta(seconds=BACKOFF.delay_seconds(attempts, parts.random_unit()))
    parts.store.save(night, attempts=attempts, next_step_at=again)
    if step.system is System.DESTINATION:
        parts.ask_destination(customer)
        return
    parts.store.note_probe(customer.customer_id, System.SOURCE, parts.probe_source(customer))


def _read(parts: NightParts, night: Night, _customer: Customer, _step: Step, now: datetime) -> None:
    parts.store.save(night, phase=Phase.READ, next_step_at=now)


def _ask(parts: NightParts, _night: Night, customer: Customer, step: Step, now: datetime) -> None:
    parts.truth.ask(customer.customer_id, step.resources, now)


def _apply(parts: NightParts, night: Night, customer: Customer, _step: Step, now: datetime) -> None:
    if parts.store.save(night, phase=Phase.APPLY, next_step_at=now):
        parts.announce(customer)


def _end(parts: NightParts, night: Night, _customer: Customer, step: Step, now: datetime) -> None:
    parts.store.save(night, phase=Phase.REPORT, verdict=step.verdict, reason=step.reason, next_step_at=now)


def _finish(parts: NightParts, night: Night, customer: Customer, _step: Step, now: datetime) -> None:
    """The pause first: a worker that dies after it makes it again, which changes nothing."""
    report, verdict = parts.truth.report(night, parts.resources(customer), now), night.verdict or NightState.COMPLETED
    if verdict is NightState.FAILED:
        _mind_the_limit(parts, night, now)
    ended = parts.store.save(
        night, state=verdict, finished_at=now, report=report.to_json(), next_at=parts.next_slot(customer, now)
    )
    if ended:
        _tell(parts, night, verdict, report)


def _mind_the_limit(parts: NightParts, night: Night, now: datetime) -> None:
    failed = parts.store.failed_in_a_row(night.customer_id) + 1
    if failed < parts.policy.failures_before_pause:
        return
    until = now + timedelta(hours=parts.policy.pause_hours)
    reason = f"{failed} nights in a row failed, the last one: {night.reason}; `fleet nights list {night.customer_id}`"
    log.error("customer paused", action="customer.paused_by_nights", until=until.isoformat(), why=reason)
    parts.customers.pause(night.customer_id, reason, until=until)


def _tell(parts: NightParts, night: Night, verdict: NightState, report: NightReport) -> None:
    told = log.error if verdict is NightState.FAILED else log.info
    told(
        "night is over", action="night.over", state=verdict, why=night.reason, applied=report.applied,
        deferred=report.deferred, seconds=report.duration_seconds,
    )  # fmt: skip
    if report.failure_rate * 100 > parts.policy.failure_percent:
        rate = f"{report.dead_lettered} of {report.ended}"
        log.error("too many failures", action="night.failure_rate", failed=rate, limit=parts.policy.failure_percent)


_DO: dict[Act, Callable[[NightParts, Night, Customer, Step, datetime], None]] = {
    Act.START: _start,
    Act.PROBE: _probe,
    Act.READ: _read,
    Act.ASK: _ask,
    Act.APPLY: _apply,
    Act.END: _end,
    Act.FINISH: _finish,
}
