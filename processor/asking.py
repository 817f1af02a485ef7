"""What the destination is asked before anything is written, and what becomes of a record whose question fails.

A question is mostly for many. One record that breaks it is put off, and in the end asked for alone; one that it is
refused for is found by halves and is a dead letter. What is refused for everybody is no record's fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from common.domain.errors import PermanentError, TransientError
from common.domain.writes import EventOutcome, SliceOutcome
from processor.identity import identify
from processor.looking import look
from processor.pipeline import Work, dead_lettered
from processor.replaying.undisputed import undisputed
from processor.slices import Slice
from processor.verdicts import after_backoff, may_be_a_records

log = structlog.get_logger(__name__)

#: In order; each gives those that go on.
QUESTIONS = (look, undisputed, identify)
#: So many were refused, each by itself, and nobody was answered: no other would be.
NO_RECORDS_FAULT = 3


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Of some works."""

    #: They may be written.
    left: tuple[Work, ...] = ()
    #: Their question was refused though they were alone.
    refused: tuple[tuple[Work, PermanentError], ...] = ()

    def __add__(self, other: Asked) -> Asked:
        return Asked(left=self.left + other.left, refused=self.refused + other.refused)


def ask(part: Slice, works: Sequence[Work]) -> Sequence[Work]:
    """Those that may be written. If a question fails, what it was for is put off: others go on without it.

    Raises what the destination's look-ups raise, also a refusal that concerns more than one record, or a record of
    which nobody knows whether it was written: it must not be given up before that is known.
    """
    asked = _ask(part, works, Asked())
    in_doubt = [error for work, error in asked.refused if work.unresolved is not None]
    if in_doubt or (len(asked.refused) > 1 and not asked.left):
        raise in_doubt[0] if in_doubt else asked.refused[0][1]
    part.record(SliceOutcome(events=tuple(_refused(work, error) for work, error in asked.refused)))
    return asked.left


def _ask(part: Slice, works: Sequence[Work], before: Asked) -> Asked:
    """`before` and what becomes of these."""
    left = works
    try:
        for question in QUESTIONS:
            left = question(part, left)
    except TransientError as error:
        if may_be_a_records(error):
            part.record(SliceOutcome(events=tuple(_put_off(part, work, error) for work in left)))
        raise
    except PermanentError as error:
        return _in_halves(part, left, error, before)
    return before + Asked(left=tuple(left))


def _in_halves(part: Slice, works: Sequence[Work], error: PermanentError, before: Asked) -> Asked:
    if len(works) == 1:
        return before + Asked(refused=((works[0], error),))
    middle = len(works) // 2
    asked = before
    for half in (works[:middle], works[middle:]):
        if len(asked.refused) >= NO_RECORDS_FAULT and not asked.left:
            raise error
        asked = _ask(part, half, asked)
    return asked


def _put_off(part: Slice, work: Work, error: TransientError) -> EventOutcome:
    """No attempt: nothing of it was tried."""
    event = work.event
    later = after_backoff(event.failures, part.now, part.parts.random_unit())
    reason = f"its look-up failed: {error}"
    return EventOutcome(event_id=event.event_id, state=event.state, reason=reason, failures=1, retry_at=later)


def _refused(work: Work, error: PermanentError) -> EventOutcome:
    log.warning("look-up is refused", action="event.dead_lettered", reason=error.reason, **work.event.log_context())
    return dead_lettered(work, error, f"its look-up is refused: {error}")
