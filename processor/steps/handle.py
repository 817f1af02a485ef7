"""The handler's decision, and the hash by which it is recognised when it comes again."""

from __future__ import annotations

from dataclasses import replace

from common.domain.events import EventState
from common.domain.records import content_hash
from common.domain.writes import REMOVED, EventOutcome
from processor.handlers.decisions import Remove, Skip
from processor.handlers.registry import HANDLERS
from processor.pipeline import Work


def handled(work: Work) -> Work | EventOutcome:
    decision = HANDLERS[work.entity.resource](work.event)
    if isinstance(decision, Skip):
        return EventOutcome(event_id=work.event.event_id, state=EventState.SKIPPED, reason=decision.reason)
    if isinstance(decision, Remove):
        return replace(work, desired=decision.desired, is_removal=True, mapped_hash=REMOVED)
    mapped_hash = content_hash(decision.desired.to_body())
    return replace(work, desired=decision.desired, needs=decision.needs, mapped_hash=mapped_hash)
