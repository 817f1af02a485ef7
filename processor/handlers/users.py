"""What a changed user means: the person should exist at the destination, like this."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.people import Person
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.reading import read


def user_changed(event: Event) -> Decision:
    """Every member is kept in step, whatever their role or status. Raises EventUnreadable for a payload that is no
    person.
    """
    person = read(Person, event)
    return Remove(desired=person) if event.action == Action.DELETE else Upsert(desired=person)
