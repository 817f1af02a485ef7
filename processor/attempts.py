"""What an attempt that came to nothing leaves behind, for whoever asks why an entity is not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from common.domain.attempts import MESSAGE_LENGTH, Attempt
from common.domain.events import Event
from common.domain.writes import EventOutcome, NeedsReview, Postponed, SliceOutcome
from common.logs.setup import cleaned
from processor.verdicts import Action, Verdict

#: Verdicts on an attempt by the destination's answer, where no error was raised.
POSTPONED, REVIEW = "postponed", "review"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """When something was tried, and where: as `common.domain.attempts.Attempt`."""

    at: datetime
    worker: str
    slice_id: str


def of_error(mark: Mark, events: Iterable[Event], error: Exception, verdict: Verdict) -> tuple[Attempt, ...]:
    """One for each event of a request that failed; none for a batch that is halved."""
    if verdict.action is Action.BISECT:
        return ()
    parks, ends = verdict.action is Action.PARK, verdict.action is Action.DEAD_LETTER
    return tuple(
        _attempt(
            mark,
            event,
            verdict.action,
            type(error).__name__,
            # The verdict's words, for a defect's own may hold anything.
            verdict.refusal.message if verdict.refusal else verdict.reason,
            status=getattr(error, "status", None),
            field=str(getattr(error, "field", "")),
            is_counted=verdict.attempts > 0,
            retry_at=None if parks or ends else verdict.until,
            parked_until=verdict.until if parks else verdict.parked_until,
        )
        for event in events
    )


def of_answer(mark: Mark, event: Event, answer: Postponed | NeedsReview) -> Attempt:
    """What the destination's answer put off; nothing was sent."""
    if isinstance(answer, Postponed):
        return _attempt(mark, event, POSTPONED, "Postponed", answer.reason, retry_at=answer.until)
    return _attempt(mark, event, REVIEW, answer.review.kind, answer.review.reason)


def of_refusals(mark: Mark, events: Mapping[int, Event], outcome: SliceOutcome) -> tuple[Attempt, ...]:
    """One for each dead letter that nothing else of the outcome tells of; its stable word stands for the error."""
    told = {attempt.event_id for attempt in outcome.attempts}
    refused = [event for event in outcome.events if event.refusal is not None and event.event_id not in told]
    return tuple(_refused(mark, events[event.event_id], event) for event in refused)


def _refused(mark: Mark, event: Event, outcome: EventOutcome) -> Attempt:
    refusal = outcome.refusal
    if refusal is None:
        raise TypeError("only what was refused has a refusal")
    return _attempt(
        mark, event, Action.DEAD_LETTER, refusal.reason, refusal.message,
        status=refusal.status, field=refusal.field, is_counted=True,
    )  # fmt: skip


def _attempt(
    mark: Mark, event: Event, verdict: str, error: str, message: str, *, status: int | None = None, field: str = "",
    is_counted: bool = False, retry_at: datetime | None = None, parked_until: datetime | None = None,
) -> Attempt:  # fmt: skip
    return Attempt(
        event_id=event.event_id,
        at=mark.at,
        verdict=verdict,
        error=error,
        message=cleaned(message)[:MESSAGE_LENGTH],
        trace_id=event.trace_id,
        worker=mark.worker,
        slice_id=mark.slice_id,
        status=status,
        field=field,
        is_counted=is_counted,
        retry_at=retry_at,
        parked_until=parked_until,
    )
