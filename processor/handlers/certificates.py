"""What a changed certificate means: who earned it should carry the tag of its name."""

from __future__ import annotations

from common.domain.certificates import Certificate
from common.domain.events import Action, Event
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.reading import read


def certificate_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no certificate."""
    certificate = read(Certificate, event)
    return Remove(desired=certificate) if event.action == Action.DELETE else Upsert(desired=certificate)
