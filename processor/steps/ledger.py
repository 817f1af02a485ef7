"""What the ledger says is done is not done again: an older version never lands after a newer one."""

from __future__ import annotations

from common.domain.events import EventState
from common.domain.writes import EventOutcome
from processor.pipeline import Work


def not_done_yet(work: Work) -> Work | EventOutcome:
    link, event, unresolved = work.link, work.event, work.unresolved
    if unresolved is not None and unresolved.version > event.version:
        # It may have landed, or land yet: a replayed older version must not come after it.
        reason = f"version {unresolved.version} may have been applied"
        return EventOutcome(event_id=event.event_id, state=EventState.SUPERSEDED, reason=reason)
    if work.is_removal and link is None and unresolved is None:
        return EventOutcome(event_id=event.event_id, state=EventState.SKIPPED, reason="never reached the destination")
    if link is None or unresolved is not None:
        return work
    if link.applied_version > event.version:
        reason = f"version {link.applied_version} was applied before"
        return EventOutcome(event_id=event.event_id, state=EventState.SUPERSEDED, reason=reason)
    if link.applied_hash == work.mapped_hash:
        return EventOutcome(event_id=event.event_id, state=EventState.UNCHANGED, reason="applied before")
    return work
