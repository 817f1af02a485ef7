"""Which canonical record stands behind which resource: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from common.domain.canonical import Canonical
from common.domain.certificates import Certificate, EarnedCertificate
from common.domain.community import Campaign, Organization
from common.domain.forms import Form, FormCompletion
from common.domain.gifts import Gift
from common.domain.groups import Group, GroupMember
from common.domain.participations import Participation
from common.domain.people import Person
from common.domain.projects import Project, ProjectDate
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

RECORDS: Mapping[str, type[Canonical]] = {
    USERS: Person,
    PROJECTS: Project,
    PROJECT_DATES: ProjectDate,
    PARTICIPATIONS: Participation,
    GROUPS: Group,
    GROUP_MEMBERS: GroupMember,
    CAMPAIGNS: Campaign,
    ORGANIZATIONS: Organization,
    FORMS: Form,
    FORM_COMPLETIONS: FormCompletion,
    CERTIFICATES: Certificate,
    EARNED_CERTIFICATES: EarnedCertificate,
    GIFTS: Gift,
}
