"""Writes whose outcome is not known: accepted and not visible yet, or sent without an answer, or their worker died.

Nobody writes again before looking, and nobody looks before the write has settled: until then it may still land. One
look is for all of a slice.

| the write                    | found, and as it was sent | found, and different        | not found             |
|------------------------------|---------------------------|-----------------------------|-----------------------|
| create, no answer            | applied                   | landed; goes on as update   | written               |
| create, submitted            | applied                   | landed; goes on as update   | held                  |
| update or removal, no answer | applied                   | written                     | written               |
| update or removal, submitted | applied                   | held                        | held                  |

A lone update is not looked for: it reads before it writes. A removal of what may have been created is not written but
held, for three days at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from common.domain.entities import EntityKey
from common.domain.events import Event, EventState
from common.domain.retry import HELD_TOO_LONG_SECONDS
from common.domain.writes import (
    PERHAPS_REMOVED,
    EventOutcome,
    Found,
    Intent,
    Link,
    Operation,
    Review,
    ReviewKind,
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
    ready: list[Work] = []
    waiting: list[EventOutcome] = []
    settled: list[tuple[Work, Intent]] = []
    for each in works:
        work, intent = _as_perhaps_removed(each), each.unresolved
        if intent is None:
            ready.append(work)
        elif intent.state is not WriteState.SUBMITTED and intent.settles_at > part.now:
            waiting.append(_until_settled(work, intent))
        elif _is_to_be_looked_for(part, work, intent):
            settled.append((work, intent))
        else:
            ready.append(work)  # it reads before it writes
    part.record(SliceOutcome(events=tuple(waiting)))
    return ready + _look_at(part, settled)


def _as_perhaps_removed(work: Work) -> Work:
    """Taken back without an answer, and wanted again: if it is hidden there, nobody else need have done it."""
    intent = work.unresolved
    if intent is None or intent.operation is not Operation.ARCHIVE or work.link is None:
        return work
    return replace(work, link=replace(work.link, applied_hash=PERHAPS_REMOVED))


def _is_to_be_looked_for(part: Slice, work: Work, intent: Intent) -> bool:
    if intent.state is WriteState.SUBMITTED or intent.operation is Operation.CREATE:
        return True
    return part.destination.group_limit(work.as_write()) > 1


def _look_at(part: Slice, settled: Sequence[tuple[Work, Intent]]) -> list[Work]:
    if not settled:
        return []
    since = min(intent.started_at for _, intent in settled)
    found = part.destination.look([work.as_write() for work, _ in settled], since)
    ready: list[Work] = []
    outcomes: list[SliceOutcome] = []
    for work, intent in settled:
        left, outcome = _judge(part, work, intent, found)
        ready += left
        outcomes.append(outcome)
    _report_held(part, outcomes)
    part.record(merged(outcomes))
    return ready


def _judge(
    part: Slice, work: Work, intent: Intent, found: Mapping[EntityKey, Found]
) -> tuple[list[Work], SliceOutcome]:
    """What is left to be written of one, and what has become of it; see the table above."""
    there = found.get(work.entity)
    is_as_sent = there is not None and not part.destination.differs(work.as_write(), there)
    if there is not None and (is_as_sent or intent.operation is Operation.CREATE):
        return _landed(work, intent, there, is_done=is_as_sent)
    if intent.state is WriteState.SUBMITTED and not _is_given_up(part, work, intent):
        return [], _held(part, work, intent)
    if work.is_removal and work.link is None:
        is_over = _age_seconds(part, intent) >= HELD_TOO_LONG_SECONDS
        return [], _never_arrived(work, intent) if is_over else _held(part, work, intent)
    return [work], SliceOutcome()


def _is_given_up(part: Slice, work: Work, intent: Intent) -> bool:
    """An update of which nothing is left to compare with: its event was discarded, or the mapping has changed since."""
    is_other = work.event.event_id != intent.event_id or work.mapped_hash != intent.mapped_hash
    return intent.operation is not Operation.CREATE and is_other and _age_seconds(part, intent) >= HELD_TOO_LONG_SECONDS


def _age_seconds(part: Slice, intent: Intent) -> float:
    return (part.now - intent.started_at).total_seconds()


def _landed(work: Work, intent: Intent, there: Found, *, is_done: bool) -> tuple[list[Work], SliceOutcome]:
    """It is there. If it is also as desired, the work is done; else it goes on as an update."""
    version, mapped_hash = (work.event.version, work.mapped_hash) if is_done else (intent.version, "")
    link = replace(_link(work, there), applied_version=version, applied_hash=mapped_hash)
    ended = [_applied(event) for event in work.submitted] + ([_applied(work.event)] if is_done else [])
    landed = WriteOutcome(write_id=intent.write_id, state=WriteState.APPLIED, destination_id=link.destination_id)
    uses = work.email_uses if is_done else ()
    outcome = SliceOutcome(events=tuple(ended), writes=(landed,), links=(link,), emails=uses)
    return [] if is_done else [work.linked(link)], outcome


def _link(work: Work, there: Found) -> Link:
    """What is known of it already stays known: whether it was adopted, say."""
    if work.link is None:
        return Link(entity=work.entity, destination_id=there.destination_id, details=there.details)
    return replace(work.link, details={**work.link.details, **there.details})


def _applied(event: Event) -> EventOutcome:
    return EventOutcome(event_id=event.event_id, state=EventState.APPLIED, reason="found at the destination")


def _never_arrived(work: Work, intent: Intent) -> SliceOutcome:
    """What is to be removed was never created, so there is nothing to do.

    Said late, for no write follows that would wait its turn behind a create which an import has taken after all.
    """
    skipped = EventOutcome(
        event_id=work.event.event_id, state=EventState.SKIPPED, reason="never reached the destination"
    )
    looked = WriteOutcome(write_id=intent.write_id, state=WriteState.LOOKED)
    return SliceOutcome(events=(skipped,), writes=(looked,), emails=work.email_uses)


def _held(part: Slice, work: Work, intent: Intent) -> SliceOutcome:
    """Held by the destination: look again, ever less often. Newer events of the entity wait for it."""
    age = _age_seconds(part, intent)
    is_too_long = age >= HELD_TOO_LONG_SECONDS
    later, reason = part.next_look(age), "held by the destination"
    waiting = [*work.submitted, work.event] if work.event.state is EventState.SUBMITTED else work.submitted
    held = (
        EventOutcome(
            event_id=event.event_id,
            state=event.state,
            reason=f"{reason} for too long; see `fleet matches`" if is_too_long else reason,
            retry_at=later,
        )
        for event in waiting or (work.event,)
    )
    return SliceOutcome(events=tuple(held), reviews=(_review(work, intent),) if is_too_long else ())


def _review(work: Work, intent: Intent) -> Review:
    """Settled by itself as soon as it is found, for then its link is recorded."""
    reason = f"accepted by the destination at {intent.started_at:%Y-%m-%d %H:%M} UTC, and not to be found there since"
    return Review(entity=work.entity, kind=ReviewKind.HELD_IMPORT, reason=reason)


def _report_held(part: Slice, outcomes: Sequence[SliceOutcome]) -> None:
    """One line for all of them: an import that nobody releases is one thing to do, not a thousand."""
    count = sum(len(outcome.reviews) for outcome in outcomes)
    if count:
        log.warning(
            "imports are held for too long", action="import.held", customer_id=part.customer.customer_id, count=count
        )


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
