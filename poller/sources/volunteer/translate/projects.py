"""Projects and their dates; facts: volunteer-api 1.6."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.domain.projects import Project, ProjectDate
from common.domain.records import Record
from common.domain.resources import PROJECT_DATES, PROJECTS
from poller.sources.volunteer.translate.addresses import address, time_zone
from poller.sources.volunteer.translate.enums import kept
from poller.sources.volunteer.translate.fields import Fields

PRIVACIES = frozenset({"PUBLIC", "PRIVATE", "UNLISTED", ""})
ANYTIME = "anytime"


def project(item: Any, customer_id: str) -> Record:
    """An item of the list. Raises RecordInvalid for one without an id, a time or a name, or with a wrong type."""
    fields = Fields.of(item, customer_id, PROJECTS)
    return Record(
        resource=PROJECTS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment("updated_at"),
        body=_project(fields).to_body(),
        raw=item,
    )


def dates_template(detail: Mapping[str, Any], customer_id: str) -> ProjectDate:
    """What all dates of a project have of it; of the detail. Raises RecordInvalid, naming the project's field."""
    fields = Fields.of(detail, customer_id, PROJECTS)
    found = _project(fields)
    return ProjectDate(
        project_id=fields.identifier("id"),
        project_name=found.name,
        starts_at="",
        description=found.description,
        active=found.active and not found.draft,
        time_zone=found.time_zone,
        address=found.address,
    )


def project_date(item: Any, customer_id: str, *, template: ProjectDate, answered_at: datetime) -> Record:
    """An element of `all_dates`. It has no time of its own, so it is as new as the answer that shows it."""
    fields = Fields.of(item, customer_id, PROJECT_DATES)
    times = {"starts_at": fields.time("starts_at"), "ends_at": fields.time("ends_at")}
    if not times["starts_at"]:
        raise fields.wrong("starts_at", "is missing or empty; fill it in at the source")
    return Record(
        resource=PROJECT_DATES,
        source_id=fields.identifier("id"),
        updated_at=answered_at,
        body={**template.to_body(), **times},
        raw=item,
    )


def _project(fields: Fields) -> Project:
    """`name` and `project_name` are the same; one may be missing."""
    return Project(
        name=fields.text("name") or fields.text("project_name") or fields.required("name"),
        description=fields.text("description"),
        anytime=fields.truth("anytime", missing=fields.text("project_type") == ANYTIME),
        active=fields.truth("active", missing=True),
        draft=fields.truth("draft", missing=False),
        privacy=kept(fields, "privacy", PRIVACIES),
        time_zone=time_zone(fields),
        address=address(fields),
    )
