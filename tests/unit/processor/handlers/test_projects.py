"""What projects and their dates lead to."""

from __future__ import annotations

import pytest
from support.builders import an_entity, an_event

from common.domain.errors import EventUnreadable
from common.domain.events import Action
from common.domain.projects import Project, ProjectDate
from common.domain.resources import PROJECT_DATES, PROJECTS
from processor.handlers.decisions import Remove, Skip, Upsert
from processor.handlers.registry import HANDLERS

DATED = Project(name="Quonox Pantry")
ANYTIME = Project(name="Fenmar Phone Line", anytime=True)
DATE = ProjectDate(project_id="701", project_name="Quonox Pantry", starts_at="2025-11-03T15:00:00+00:00")


def decided(resource, record, action=Action.UPSERT):
    event = an_event(entity=an_entity("701", resource=resource), payload=record.to_body(), action=action)
    return HANDLERS[resource](event)


def test_a_project_with_dates_is_shown_by_them():
    assert decided(PROJECTS, DATED) == Skip(reason="its dates are the opportunities")


def test_an_anytime_project_stands_for_itself():
    assert decided(PROJECTS, ANYTIME) == Upsert(desired=ANYTIME)


def test_a_date_needs_nothing_else():
    assert decided(PROJECT_DATES, DATE) == Upsert(desired=DATE)


@pytest.mark.parametrize(("resource", "record"), [(PROJECTS, ANYTIME), (PROJECTS, DATED), (PROJECT_DATES, DATE)])
def test_what_is_gone_at_the_source_is_taken_back(resource, record):
    assert decided(resource, record, Action.DELETE) == Remove(desired=record)


def test_a_payload_that_is_no_date_is_unreadable():
    event = an_event(entity=an_entity("1011", resource=PROJECT_DATES), payload={"project_id": "701"})

    with pytest.raises(EventUnreadable, match="starts_at"):
        HANDLERS[PROJECT_DATES](event)
