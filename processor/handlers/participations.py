"""What a changed participation means: a sign-up, and hours once there are any."""

from __future__ import annotations

from collections.abc import Iterator

from common.domain.entities import EntityKey
from common.domain.events import Action, Event
from common.domain.participations import Participation, base_id
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, PROJECTS, USERS
from processor.handlers.decisions import Decision, Remove, Upsert
from processor.handlers.needs import beside
from processor.handlers.reading import read


def participation_changed(event: Event) -> Decision:
    """Raises EventUnreadable for a payload that is no participation."""
    participation = read(Participation, event)
    if event.action == Action.DELETE:
        return Remove(desired=participation)
    return Upsert(desired=participation, needs=tuple(_needs(event.entity, participation)))


def _needs(entity: EntityKey, participation: Participation) -> Iterator[EntityKey]:
    """The person, what it is a part in, and of a second row the first one: they share a sign-up."""
    yield beside(entity, USERS, participation.user_id)
    if participation.project_date_id:
        yield beside(entity, PROJECT_DATES, participation.project_date_id)
    else:
        yield beside(entity, PROJECTS, participation.project_id)
    first = base_id(entity.source_id)
    if first != entity.source_id:
        yield beside(entity, PARTICIPATIONS, first)
