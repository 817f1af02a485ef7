"""What a filled-in form means: a note on the person, and the custom fields that the mapping says."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.forms import FormCompletion
from common.domain.resources import USERS
from processor.handlers.decisions import Decision, Remove, Skip, Upsert
from processor.handlers.needs import beside
from processor.handlers.reading import read


def form_completion_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no completion.

    A removal goes through whoever filled it in: its note may have been written when that was known.
    """
    completion = read(FormCompletion, event)
    if event.action == Action.DELETE:
        return Remove(desired=completion)
    if not completion.user_id:
        return Skip(reason="nobody who is known filled it in, so there is no contact for a note")
    return Upsert(desired=completion, needs=(beside(event.entity, USERS, completion.user_id),))
