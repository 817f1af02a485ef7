"""Which handler decides for which resource: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from common.domain.events import Event
from common.domain.resources import (
    CAMPAIGNS,
    CERTIFICATES,
    EARNED_CERTIFICATES,
    FORM_COMPLETIONS,
    FORMS,
    GIFTS,
    GROUP_MEMBERS,
    GROUPS,
    ORGANIZATIONS,
    PARTICIPATIONS,
    PROJECT_DATES,
    PROJECTS,
    USERS,
)
from processor.handlers.certificates import certificate_changed
from processor.handlers.decisions import Decision
from processor.handlers.earned_certificates import earned_certificate_changed
from processor.handlers.form_completions import form_completion_changed
from processor.handlers.gifts import gift_changed
from processor.handlers.group_members import group_member_changed
from processor.handlers.groups import group_changed
from processor.handlers.kept import kept
from processor.handlers.participations import participation_changed
from processor.handlers.project_dates import project_date_changed
from processor.handlers.projects import project_changed
from processor.handlers.users import user_changed

HANDLERS: Mapping[str, Callable[[Event], Decision]] = {
    USERS: user_changed,
    PROJECTS: project_changed,
    PROJECT_DATES: project_date_changed,
    PARTICIPATIONS: participation_changed,
    GROUPS: group_changed,
    GROUP_MEMBERS: group_member_changed,
    CERTIFICATES: certificate_changed,
    EARNED_CERTIFICATES: earned_certificate_changed,
    FORM_COMPLETIONS: form_completion_changed,
    GIFTS: gift_changed,
    CAMPAIGNS: kept,
    ORGANIZATIONS: kept,
    FORMS: kept,
}
