"""What hangs on another entity waits until that one is at the destination."""

from __future__ import annotations

from datetime import datetime, timedelta

from common.domain.retry import confirmation_delay_seconds
from common.domain.writes import EventOutcome
from processor.pipeline import Work


def parents_linked(work: Work, now: datetime) -> Work | EventOutcome:
    """It is woken when the link is recorded; should that be missed, it asks again, ever less often."""
    missing = next((entity for entity in work.needs if entity not in work.parents), None)
    if missing is None:
        return work
    age_seconds = (now - work.event.detected_at).total_seconds()
    return EventOutcome(
        event_id=work.event.event_id,
        state=work.event.state,
        reason=f"waits for {missing.resource}/{missing.source_id}",
        retry_at=now + timedelta(seconds=confirmation_delay_seconds(age_seconds)),
        waits_for=missing,
    )
