"""Lists: one page of items, each with an id of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.domain.records import Record
from common.domain.resources import (
    PARTICIPATIONS,
    PROJECT_DATES,
)
from common.domain.sources import DueScope, Page
from poller.sources.volunteer.answers import Asked
from poller.sources.volunteer.scopes import DATE, PROJECT, scope_of
from poller.sources.volunteer.translate import certificates, community, forms, groups, projects, users
from poller.sources.volunteer.translate.fields import Fields
from poller.sources.volunteer.translate.items import Items, read_items

UPDATED_AFTER = "updated_after"


def read_users(asked: Asked) -> Page:
    names = asked.settings.extra_fields
    return _listed(asked, lambda item: users.user(item, asked.customer_id, names))


def read_projects(asked: Asked) -> Page:
    return _listed(asked, lambda item: projects.project(item, asked.customer_id))


def read_organizations(asked: Asked) -> Page:
    return _listed(asked, _dated(asked, community.organization))


def read_campaigns(asked: Asked) -> Page:
    return _listed(asked, _dated(asked, community.campaign))


def read_certificates(asked: Asked) -> Page:
    return _listed(asked, _dated(asked, certificates.certificate))


def read_groups(asked: Asked) -> Page:
    return _listed(asked, _dated(asked, groups.group))


def read_forms(asked: Asked) -> Page:
    return _listed(asked, _dated(asked, forms.form))


def read_members(asked: Asked) -> Page:
    group_id, answered_at = asked.scope.source_id, asked.answered_at
    return _listed(
        asked,
        lambda item: groups.group_member(item, asked.customer_id, group_id=group_id, answered_at=answered_at),
    )


def read_completions(asked: Asked) -> Page:
    form_id, parent, answered_at = asked.scope.source_id, asked.query.parent, asked.answered_at
    return _listed(
        asked,
        lambda item: forms.form_completion(
            item, asked.customer_id, form_id=form_id, parent=parent, answered_at=answered_at
        ),
        shows_all=not _is_filtered(asked),
    )


def read_today(asked: Asked) -> Page:
    """Dates of today, too bare to be records: each says which scopes are worth reading now."""
    due: list[DueScope] = []

    def note(item: Any) -> Record | None:
        fields = Fields.of(item, asked.customer_id, PROJECT_DATES)
        due.append(DueScope(resource=PARTICIPATIONS, scope=scope_of(DATE, fields.identifier("id"))))
        if project_id := fields.reference("project_id"):
            due.append(DueScope(resource=PROJECT_DATES, scope=scope_of(PROJECT, project_id)))
        return None

    found = read_items(asked.items(), PROJECT_DATES, note)
    return _page(asked, found, total=0, due=tuple(dict.fromkeys(due)))


def _dated(asked: Asked, read: Callable[..., Record]) -> Callable[[Any], Record]:
    """For what may have no time of its own."""
    answered_at = asked.answered_at
    return lambda item: read(item, asked.customer_id, answered_at=answered_at)


def _listed(asked: Asked, read: Callable[[Any], Record], *, shows_all: bool = True) -> Page:
    found = read_items(asked.items(), asked.query.resource, read)
    return _page(asked, found, total=asked.total(), shows_all=shows_all)


def _page(
    asked: Asked, found: Items, *, total: int | None, shows_all: bool = True, due: tuple[DueScope, ...] = ()
) -> Page:
    return Page(
        records=found.records,
        broken=found.broken,
        next_page=asked.next_page(),
        total=total,
        answered_at=asked.date,
        shows_all=shows_all,
        due=due,
    )


def _is_filtered(asked: Asked) -> bool:
    """What an old completion's absence from a list of the new ones means is nothing. A link carries its filters."""
    return asked.query.updated_after is not None or f"{UPDATED_AFTER}=" in (asked.query.next_page or "")
