"""When a scope is read again: pure, and the only place that says how often anything of VOMO's is read.

Never-read scopes are due at once, with two urgencies: what lies in the window counts as due since a day, what is
history (dates after the window, users' details) since now. So a reader that takes the longest due first has the window
first, and history that has waited for a day is not put off for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from common.domain import resources
from common.domain.projects import Project, ProjectDate
from common.domain.sources import WHOLE
from poller.sources.volunteer.distance import Distance, Span
from poller.sources.volunteer.plan import ScanPlan, Strategy
from poller.sources.volunteer.scopes import DATE, FORM, GROUP, PROJECT, TODAY, USER, kind_of
from poller.sources.volunteer.settings import VolunteerSettings

#: How long ago a never-read scope that is wanted first became due.
URGENCY = timedelta(days=1)

Due = datetime | None


def due_at(
    resource: str, scope: str, parent: Mapping[str, Any], *, read_at: datetime | None, now: datetime,
    settings: VolunteerSettings, plan: ScanPlan,
) -> Due:  # fmt: skip
    """As `common.domain.sources.Source.due_at`. Raises KeyError for a scope that the resource does not have."""
    kind = kind_of(scope)
    if resource == resources.PARTICIPATIONS and kind == DATE:
        return _date(parent, read_at, now, settings, plan)
    if resource == resources.PARTICIPATIONS and kind == USER:
        return _user(read_at, now, settings, plan)
    seconds = _PERIODS[resource, kind](settings, parent)
    return now - URGENCY if read_at is None else read_at + timedelta(seconds=seconds)


def date_seconds(where: Distance, settings: VolunteerSettings, strategy: Strategy) -> int:
    """Between two readings of a date inside the window."""
    if where is Distance.NEAR:
        return settings.near_seconds
    if strategy is Strategy.USERS:
        return settings.evidence_seconds
    return settings.week_seconds if where is Distance.WEEK else settings.window_seconds


def user_seconds(settings: VolunteerSettings, plan: ScanPlan) -> int | None:
    """Between two readings of a user's detail; None: only when the user changes."""
    if plan.participations is Strategy.USERS:
        return settings.user_seconds
    return settings.details_seconds if plan.needs_details else None


def project_seconds(body: Mapping[str, Any], settings: VolunteerSettings) -> int:
    """Between two readings of a project's detail, which alone shows its dates."""
    project = Project.from_body(body)
    is_idle = project.anytime or project.draft or not project.active
    return settings.idle_project_seconds if is_idle else settings.project_seconds


def _date(
    parent: Mapping[str, Any], read_at: datetime | None, now: datetime, settings: VolunteerSettings, plan: ScanPlan
) -> Due:
    date = ProjectDate.from_body(parent)
    span = Span.of(date.starts_at, date.ends_at, settings)
    where = span.distance(now)
    if where is Distance.AHEAD:
        return span.opens
    if where is Distance.PAST:
        # Users' details hold the history too: it is read once, in the way that is the cheaper one.
        return now if read_at is None and plan.participations is Strategy.DATES else None
    if read_at is None:
        return now - URGENCY
    step = timedelta(seconds=date_seconds(span.distance(read_at), settings, plan.participations))
    # Nor past the moment at which it gets nearer, nor out of the window without a last reading.
    return min(read_at + step, span.next_zone(read_at) or span.closes)


def _user(read_at: datetime | None, now: datetime, settings: VolunteerSettings, plan: ScanPlan) -> Due:
    seconds = user_seconds(settings, plan)
    if read_at is None:
        return now
    return None if seconds is None else read_at + timedelta(seconds=seconds)


_PERIODS: Mapping[tuple[str, str], Callable[[VolunteerSettings, Mapping[str, Any]], int]] = {
    (resources.ORGANIZATIONS, WHOLE): lambda settings, _: settings.lists_seconds,
    (resources.CAMPAIGNS, WHOLE): lambda settings, _: settings.lists_seconds,
    (resources.CERTIFICATES, WHOLE): lambda settings, _: settings.lists_seconds,
    (resources.GROUPS, WHOLE): lambda settings, _: settings.groups_seconds,
    (resources.FORMS, WHOLE): lambda settings, _: settings.forms_seconds,
    (resources.PROJECT_DATES, TODAY): lambda settings, _: settings.today_seconds,
    (resources.PROJECT_DATES, PROJECT): lambda settings, parent: project_seconds(parent, settings),
    (resources.GROUP_MEMBERS, GROUP): lambda settings, _: settings.members_seconds,
    (resources.FORM_COMPLETIONS, FORM): lambda settings, _: settings.completions_seconds,
}
