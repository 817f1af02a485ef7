"""What a changed user means: the person should exist at the destination, like this."""

from __future__ import annotations

from common.domain.errors import EventUnreadable
from common.domain.events import Event
from common.domain.people import person_from_body
from processor.handlers.decisions import Decision, Upsert


def user_changed(event: Event) -> Decision:
    """Every member is kept in step, whatever their role or status. Raises EventUnreadable for a payload that is no
    person.
    """
    try:
        return Upsert(desired=person_from_body(event.payload))
    except TypeError:
        missing = [name for name in ("first_name", "last_name") if name not in event.payload]
        raise EventUnreadable(
            f"customer {event.entity.customer_id}: event {event.event_id}: payload lacks {', '.join(missing)}",
            reason="payload_unreadable",
            field=missing[0] if missing else "payload",
        ) from None
