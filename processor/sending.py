"""Send writes in as few requests as the destination allows, and record what became of each.

The order that makes it safe: verify the lock; commit an intent for every write; send; commit outcomes, links and the
ledger together. Killed after the intent, the next owner finds it and looks before it writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from common.domain.errors import LockLost
from common.domain.events import EventState
from common.domain.people import Person
from common.domain.writes import (
    EventOutcome,
    Intent,
    Operation,
    Refusal,
    SliceOutcome,
    Write,
    WriteOutcome,
    WriteState,
)
from processor.answers import Ready, doubted, read_answers
from processor.attempts import of_error
from processor.pipeline import Work
from processor.slices import Slice
from processor.verdicts import (
    ALONE_AFTER_DEFECTS,
    ALONE_AFTER_FAILURES,
    Action,
    Circumstances,
    Verdict,
    decide,
)

log = structlog.get_logger(__name__)


def send(part: Slice, works: Sequence[Work]) -> None:
    """Send until all is done, the slice is over, or something stops it; what is left stays due."""
    for batch in _batches(part, works):
        if part.is_over:
            return
        _send_batch(part, batch)
        if part.is_probe:
            return


def _batches(part: Slice, works: Sequence[Work]) -> Iterator[list[Work]]:
    """Works that go in one request: of one operation, as many as fit."""
    batches: dict[str, list[Work]] = {}
    for work in sorted(works, key=lambda work: (work.link is None, work.event.event_id)):
        write = work.as_write()
        limit = part.destination.group_limit(write)
        if limit == 1:
            yield [work]
            continue
        group = part.destination.group(write)
        batch = batches.setdefault(group, [])
        batch.append(work)
        if len(batch) >= limit:
            yield batches.pop(group)
    yield from batches.values()


def is_suspect(work: Work) -> bool:
    """One that breaks its request may not break the others' once more."""
    return work.event.failures >= ALONE_AFTER_FAILURES or work.event.defects >= ALONE_AFTER_DEFECTS


def _send_batch(part: Slice, works: Sequence[Work]) -> None:
    batch = [Ready(work=work, write=_write(part, work)) for work in works]
    part.held.verify()
    part.parts.store.begin([_intent(part, ready.write, _seen(ready.work)) for ready in batch])
    try:
        _exchange(part, batch)
    except LockLost:
        # While we were writing, another worker took over: ours may have landed after a newer one.
        part.parts.store.apply_again([ready.write.entity for ready in batch], part.now)
        raise


def _write(part: Slice, work: Work) -> Write:
    """Asked just before it is sent: of two that are linked to one record, the last to go takes it back."""
    write = work.as_write(part.parts.new_id())
    if not work.is_removal or work.link is None:
        return write
    linked = part.parts.store.links_to(work.entity.customer_id, work.entity.resource, [work.link.destination_id])
    return replace(write, is_shared=any(link.entity != work.entity for link in linked))


def _exchange(part: Slice, batch: Sequence[Ready]) -> None:
    try:
        answers = part.destination.apply([ready.write for ready in batch])
        outcome = read_answers(part, batch, answers)
    except Exception as error:  # noqa: BLE001 - the verdict decides, and a defect must not stop the others
        _act(part, batch, error)
    else:
        part.record(outcome)


def _seen(work: Work) -> str:
    return work.unresolved.write_id if work.unresolved else ""


def _intent(part: Slice, write: Write, replaces: str) -> Intent:
    return Intent(
        write_id=write.write_id,
        entity=write.entity,
        event_id=write.event_id,
        version=write.version,
        operation=write.operation,
        mapped_hash=write.mapped_hash,
        state=WriteState.OPEN,
        started_at=part.now,
        settles_at=part.now + timedelta(seconds=part.destination.settle_seconds),
        replaces=replaces,
        email=_claimed(write),
    )


def _claimed(write: Write) -> str:
    """The address of a person who is created, unless a person decided that two may share it."""
    new = write.operation is Operation.CREATE and not write.as_new
    return write.desired.email if new and isinstance(write.desired, Person) else ""


def _act(part: Slice, batch: Sequence[Ready], error: Exception) -> None:
    """Do what the verdict says."""
    verdict = decide(error, _circumstances(part, batch))
    part.parts.metrics.verdicts.labels(part.customer.destination, verdict.action).inc()
    log.warning(
        "request failed", action="request.failed", verdict=verdict.action, error=str(error) or type(error).__name__,
        writes=len(batch), exc_info=verdict.reason.startswith("defect"),
    )  # fmt: skip
    part.record(
        SliceOutcome(
            events=tuple(_event_outcome(ready, verdict) for ready in batch if _touches_events(verdict)),
            writes=tuple(
                WriteOutcome(write_id=r.write.write_id, state=verdict.write_state, settles_at=verdict.settles_at)
                for r in batch
            ),
            links=tuple(link for ready in batch for link in doubted(ready.work)),
            attempts=of_error(part.mark, [ready.work.event for ready in batch], error, verdict),
        )
    )
    _aftermath(part, batch, verdict)


def _circumstances(part: Slice, batch: Sequence[Ready]) -> Circumstances:
    return Circumstances(
        now=part.now,
        batch_size=len(batch),
        attempts=max(ready.work.event.attempts for ready in batch),
        failures=max(ready.work.event.failures for ready in batch),
        is_outage=part.passage.is_outage,
        defects=max(ready.work.event.defects for ready in batch),
        random_unit=part.parts.random_unit(),
        visibility_seconds=part.destination.visibility_seconds,
        share=part.share,
    )


def _touches_events(verdict: Verdict) -> bool:
    return verdict.action in (Action.RETRY, Action.WAIT, Action.DEAD_LETTER)


def _event_outcome(ready: Ready, verdict: Verdict) -> EventOutcome:
    if verdict.action is Action.DEAD_LETTER:
        return EventOutcome(
            event_id=ready.write.event_id,
            state=EventState.DEAD_LETTERED,
            reason=verdict.reason,
            attempts=verdict.attempts,
            failures=verdict.failures,
            defects=verdict.defects,
            refusal=verdict.refusal or Refusal(reason=verdict.reason, message=verdict.reason),
        )
    return EventOutcome(
        event_id=ready.write.event_id,
        state=EventState.PENDING,
        reason=verdict.reason,
        attempts=verdict.attempts,
        failures=verdict.failures,
        defects=verdict.defects,
        retry_at=verdict.until,
    )


def _aftermath(part: Slice, batch: Sequence[Ready], verdict: Verdict) -> None:
    if verdict.action is Action.BISECT:
        _bisect(part, [ready.work for ready in batch])
    elif verdict.action is Action.PARK and verdict.until is not None:
        part.park(verdict.until, verdict.reason)
    elif verdict.action is Action.PAUSE:
        part.pause(verdict.reason)
    elif verdict.parked_until is not None:
        part.park(verdict.parked_until, f"the destination said when to come back: {verdict.reason}")
    elif verdict.stops_slice:
        part.stop()


def _bisect(part: Slice, works: Sequence[Work]) -> None:
    """All were refused for the sake of one: halve until it is alone."""
    middle = len(works) // 2
    for half in (works[:middle], works[middle:]):
        if not part.is_over:
            _send_batch(part, half)
