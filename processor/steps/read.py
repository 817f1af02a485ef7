"""Only events that this release understands go on; a newer release's wait as dead letters, to be replayed by it."""

from __future__ import annotations

from common.domain.errors import EventUnreadable
from common.domain.events import EVENT_VERSION, Action
from processor.handlers.registry import HANDLERS
from processor.pipeline import Work


def readable(work: Work) -> Work:
    """Raises EventUnreadable, naming what is unknown."""
    event = work.event
    if event.event_version > EVENT_VERSION:
        raise _unknown(work, "event_version", str(event.event_version))
    if event.action not in set(Action):
        raise _unknown(work, "action", event.action)
    if event.entity.resource not in HANDLERS:
        raise _unknown(work, "resource", event.entity.resource)
    return work


def _unknown(work: Work, field: str, value: str) -> EventUnreadable:
    return EventUnreadable(
        f"customer {work.entity.customer_id}: event {work.event.event_id}: {field} {value!r} is not known to this "
        "release; upgrade the processors, then replay",
        reason=f"unknown_{field}",
        field=field,
    )
