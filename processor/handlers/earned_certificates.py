"""What a certificate that somebody earned means: its tag on the person, and a note that says until when."""

from __future__ import annotations

from common.domain.certificates import EarnedCertificate
from common.domain.events import Action, Event
from common.domain.resources import CERTIFICATES, USERS
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.needs import beside
from processor.handlers.reading import read


def earned_certificate_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no earned certificate."""
    earned = read(EarnedCertificate, event)
    if event.action == Action.DELETE:
        return Remove(desired=earned)
    person = beside(event.entity, USERS, earned.user_id)
    return Upsert(desired=earned, needs=(person, beside(event.entity, CERTIFICATES, earned.certificate_id)))
