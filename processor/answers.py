"""What a destination's answer makes of a write, its event and its link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

import structlog

from common.domain.events import EventState
from common.domain.writes import (
    Answer,
    Applied,
    EventOutcome,
    Link,
    NeedsReview,
    Postponed,
    Refusal,
    Refused,
    Relinked,
    SliceOutcome,
    Submitted,
    Write,
    WriteOutcome,
    WriteState,
    merged,
)
from processor.attempts import of_answer
from processor.identity import hold
from processor.pipeline import Work
from processor.slices import Slice

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A piece of work as a write."""

    work: Work
    write: Write


def read_answers(part: Slice, batch: Sequence[Ready], answers: Sequence[Answer]) -> SliceOutcome:
    """Raises ValueError if there is not one answer for each."""
    look_at = part.next_look(0.0)
    return merged(_read(part, ready, answer, look_at) for ready, answer in zip(batch, answers, strict=True))


def _read(part: Slice, ready: Ready, answer: Answer, look_at: datetime) -> SliceOutcome:
    match answer:
        case Applied():
            return _applied(ready, answer)
        case Submitted():
            return _submitted(ready, look_at)
        case Refused():
            return _refused(ready, answer.refusal)
        case Postponed():
            postponed = replace(_pending(ready, answer.reason, answer.until), until_newer=answer.until_newer)
            return merged([_unsent(ready, postponed), _put_off(part, ready, answer)])
        case NeedsReview():
            return merged([hold(ready.work, answer.review, part), _unsent(ready)])
        case Relinked():
            return _relinked(ready, answer, part.now)
        case _:
            assert_never(answer)


def _applied(ready: Ready, answer: Applied) -> SliceOutcome:
    write = ready.write
    state = EventState.APPLIED if answer.changed else EventState.UNCHANGED
    event = EventOutcome(event_id=write.event_id, state=state, reason="" if answer.changed else "as it was there")
    link = Link(
        entity=write.entity,
        destination_id=answer.destination_id,
        details=answer.details,
        applied_version=write.version,
        applied_hash=write.mapped_hash,
    )
    return SliceOutcome(
        events=(event,),
        writes=(_write(ready, WriteState.APPLIED, answer.destination_id),),
        links=(link,),
        emails=ready.work.email_uses,
    )


def _submitted(ready: Ready, look_at: datetime) -> SliceOutcome:
    """All of a request are looked for together."""
    event = EventOutcome(
        event_id=ready.write.event_id,
        state=EventState.SUBMITTED,
        reason="accepted by the destination",
        retry_at=look_at,
    )
    return SliceOutcome(events=(event,), writes=(_write(ready, WriteState.SUBMITTED),))


def _refused(ready: Ready, refusal: Refusal) -> SliceOutcome:
    log.warning("refused", action="event.dead_lettered", reason=refusal.reason, **ready.work.event.log_context())
    event = EventOutcome(
        event_id=ready.write.event_id,
        state=EventState.DEAD_LETTERED,
        reason=refusal.reason,
        attempts=1,
        refusal=refusal,
    )
    return SliceOutcome(events=(event,), writes=(_write(ready, WriteState.REFUSED),), links=doubted(ready.work))


def _relinked(ready: Ready, answer: Relinked, now: datetime) -> SliceOutcome:
    """The next write goes to the record that took the linked one's place."""
    before = ready.work.link
    if before is None:
        raise TypeError("only what is linked can be relinked")
    link = replace(before, destination_id=answer.destination_id, details=answer.details, applied_hash="")
    log.info("linked record was merged into another", action="link.replaced", **ready.work.event.log_context())
    pending = _pending(ready, "linked to the record that took the place of the earlier one", now)
    return merged([SliceOutcome(links=(link,)), _unsent(ready, pending)])


def _put_off(part: Slice, ready: Ready, answer: Postponed) -> SliceOutcome:
    return SliceOutcome(attempts=(of_answer(part.mark, ready.work.event, answer),))


def _pending(ready: Ready, reason: str, until: datetime) -> EventOutcome:
    return EventOutcome(event_id=ready.write.event_id, state=EventState.PENDING, reason=reason, retry_at=until)


def _unsent(ready: Ready, *events: EventOutcome) -> SliceOutcome:
    return SliceOutcome(events=events, writes=(_write(ready, WriteState.NOT_SENT),))


def _write(ready: Ready, state: WriteState, destination_id: str = "") -> WriteOutcome:
    return WriteOutcome(write_id=ready.write.write_id, state=state, destination_id=destination_id)


def doubted(work: Work) -> tuple[Link, ...]:
    """What the ledger says of an entity whose write went wrong."""
    return () if work.link is None else (work.link.doubted(),)
