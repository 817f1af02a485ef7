"""What a changed project means: one without dates stands for itself, any other is shown by its dates."""

from __future__ import annotations

from common.domain.events import Action, Event
from common.domain.projects import Project
from processor.handlers.decisions import Decision, Remove, Skip, Upsert
from processor.handlers.reading import read


def project_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no project.

    The removal of a dated one is a Remove too: it may have been an Anytime one when it was written.
    """
    project = read(Project, event)
    if event.action == Action.DELETE:
        return Remove(desired=project)
    return Upsert(desired=project) if project.anytime else Skip(reason="its dates are the opportunities")
