"""What a changed date of a project means: there should be an opportunity for it, like this."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.projects import ProjectDate
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.reading import read


def project_date_changed(event: Event) -> Decision:
    """Needs nothing: it carries what it needs of its project. Raises EventUnreadable for a payload that is no date."""
    date = read(ProjectDate, event)
    return Remove(desired=date) if event.action == Action.DELETE else Upsert(desired=date)
