"""What the customer's mapping makes of a record."""

from __future__ import annotations

from dataclasses import replace

from common.domain.events import EventState
from common.domain.mapping import FieldMapping, mapped
from common.domain.records import content_hash
from common.domain.writes import EventOutcome
from processor.pipeline import Work


def as_configured(work: Work, mapping: FieldMapping) -> Work | EventOutcome:
    """Raises RecordInvalid, naming field and mend, for a value that a rule cannot read or misses.

    A removal goes through as it is: what was written before a resource was switched off may still be taken back.
    """
    said = mapping.of(work.entity.resource)
    if work.is_removal or work.desired is None:
        return work
    if said.is_off:
        reason = "switched off by the mapping"
        return EventOutcome(event_id=work.event.event_id, state=EventState.SKIPPED, reason=reason)
    if not said.rules:
        return work
    desired = mapped(work.desired, said.rules, work.entity)
    return replace(work, desired=desired, mapped_hash=content_hash(desired.to_body()))
