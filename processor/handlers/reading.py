"""From an event's payload to its canonical record."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TypeVar

from common.domain.canonical import Canonical
from common.domain.errors import EventUnreadable
from common.domain.events import Event

RecordT = TypeVar("RecordT", bound=Canonical)


def read(kind: type[RecordT], event: Event) -> RecordT:
    """Raises EventUnreadable, naming what the payload lacks."""
    try:
        return kind.from_body(event.payload)
    except TypeError:
        missing = [name for name in _required(kind) if name not in event.payload]
        raise EventUnreadable(
            f"customer {event.entity.customer_id}: event {event.event_id}: payload lacks {', '.join(missing)}",
            reason="payload_unreadable",
            field=missing[0] if missing else "payload",
        ) from None


def _required(kind: type[Canonical]) -> list[str]:
    return [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
