"""Writes whose outcome is not known: accepted and not visible yet, or sent without an answer, or their worker died.

Nobody writes again before looking, and nobody looks before the write has settled: until then it may still land.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from common.domain.events import Event, EventState
from common.domain.retry import confirmation_delay_seconds
from common.domain.writes import (
    EventOutcome,
    Found,
    Intent,
    Link,
    Operation,
    SliceOutcome,
    WriteOutcome,
    WriteState,
    merged,
)
from processor.pipeline import Work
from processor.slices import Slice

log = structlog.get_logger(__name__)


def look(part: Slice, works: Sequence[Work]) -> list[Work]:
    """The works that may be written now; the others are recorded as applied, or as waiting.

    Raises what the destination's look-up raises; nothing is lost by that.
    """
    ready = [work for work in works if work.unresolved is None]
    waiting: list[EventOutcome] = []
    settled: list[tuple[Work, Intent]] = []
    for work in works:
        intent = work.unresolved
        if intent is None:
            continue
        if intent.state is WriteState.SUBMITTED:
            settled.append((work, intent))
        elif intent.settles_at > part.now:
            waiting.append(_until_settled(work, intent))
        elif intent.operation is Operation.CREATE:
            settled.append((work, intent))
        else:
            ready.append(work)  # it reads before it writes
    part.record(SliceOutcome(events=tuple(waiting)))
    return ready + _look_at(part, settled)


def _look_at(part: Slice, settled: Sequence[tuple[Work, Intent]]) -> list[Work]:
    if not settled:
        return []
    since = min(intent.started_at for _, intent in settled)
    found = part.destination.look([work.as_write() for work, _ in settled], since)
    ready: list[Work] = []
    outcomes: list[SliceOutcome] = []
    for work, intent in settled:
        there = found.get(work.entity)
        if there is not None:
            left, outcome = _landed(part, work, intent, there)
            ready += left
            outcomes.append(outcome)
        elif intent.state is WriteState.SUBMITTED:
            outcomes.append(_held(part, work, intent))
        else:
            ready.append(work)  # it never arrived: write again
    part.record(merged(outcomes))
    return ready


def _landed(part: Slice, work: Work, intent: Intent, there: Found) -> tuple[list[Work], SliceOutcome]:
    """It is there. If it is also as desired, the work is done; else it goes on as an update."""
    done = not part.destination.differs(work.as_write(), there)
    version, mapped_hash = (work.event.version, work.mapped_hash) if done else (intent.version, "")
    link = Link(
        entity=work.entity,
        destination_id=there.destination_id,
        details=there.details,
        applied_version=version,
        applied_hash=mapped_hash,
    )
    ended = [_applied(event) for event in work.submitted] + ([_applied(work.event)] if done else [])
    landed = WriteOutcome(write_id=intent.write_id, state=WriteState.APPLIED, destination_id=there.destination_id)
    outcome = SliceOutcome(events=tuple(ended), writes=(landed,), links=(link,))
    return [] if done else [work.linked(link)], outcome


def _applied(event: Event) -> EventOutcome:
    return EventOutcome(event_id=event.event_id, state=EventState.APPLIED, reason="found at the destination")


def _held(part: Slice, work: Work, intent: Intent) -> SliceOutcome:
    """Held by the destination: look again, ever less often. Newer events of the entity wait for it."""
    age = (part.now - intent.started_at).total_seconds()
    later = part.now + timedelta(seconds=confirmation_delay_seconds(age))
    waiting = [*work.submitted, work.event] if work.event.state is EventState.SUBMITTED else work.submitted
    held = (
        EventOutcome(
            event_id=event.event_id, state=EventState.SUBMITTED, reason="held by the destination", retry_at=later
        )
        for event in waiting or (work.event,)
    )
    return SliceOutcome(events=tuple(held))


def _until_settled(work: Work, intent: Intent) -> EventOutcome:
    log.info(
        "outcome of an earlier write is not known yet",
        action="write.unsettled",
        until=intent.settles_at.isoformat(),
        **work.event.log_context(),
    )
    return EventOutcome(
        event_id=work.event.event_id,
        state=work.event.state,
        reason="an earlier write may still land",
        retry_at=intent.settles_at,
    )
