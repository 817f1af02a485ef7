"""Which request shows which scope of which resource, and who reads its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from common.domain import resources
from common.domain.sources import WHOLE, Page, PageQuery
from poller.sources.volunteer import details, lists
from poller.sources.volunteer.answers import Asked
from poller.sources.volunteer.scopes import DATE, FORM, GROUP, PROJECT, TODAY, USER, kind_of


@dataclass(frozen=True, kw_only=True)
class Route:
    """`{id}` in the path is the scope's."""

    path: str
    read: Callable[[Asked], Page]
    #: Fields of PageQuery that the API takes as filters, by the same names.
    filters: tuple[str, ...] = ()

    @property
    def is_of_one(self) -> bool:
        """What is asked for may have been deleted."""
        return "{id}" in self.path


ROUTES: Mapping[tuple[str, str], Route] = {
    (resources.USERS, WHOLE): Route(
        path="/users",
        read=lists.read_users,
        filters=("updated_after", "updated_before", "created_after", "created_before"),
    ),
    (resources.PROJECTS, WHOLE): Route(path="/projects", read=lists.read_projects, filters=("updated_after",)),
    (resources.USERS, USER): Route(path="/users/{id}", read=details.read_one),
    (resources.PROJECTS, PROJECT): Route(path="/projects/{id}", read=details.read_one),
    (resources.ORGANIZATIONS, WHOLE): Route(path="/organizations", read=lists.read_organizations),
    (resources.CAMPAIGNS, WHOLE): Route(path="/campaigns", read=lists.read_campaigns),
    (resources.CERTIFICATES, WHOLE): Route(path="/certificates", read=lists.read_certificates),
    (resources.GROUPS, WHOLE): Route(path="/groups", read=lists.read_groups),
    (resources.FORMS, WHOLE): Route(path="/forms", read=lists.read_forms),
    (resources.PROJECT_DATES, TODAY): Route(path="/projects/today", read=lists.read_today),
    (resources.PROJECT_DATES, PROJECT): Route(path="/projects/{id}", read=details.read_project),
    (resources.PARTICIPATIONS, DATE): Route(path="/projects/date/{id}", read=details.read_date),
    (resources.PARTICIPATIONS, USER): Route(path="/users/{id}", read=details.read_user),
    (resources.GROUP_MEMBERS, GROUP): Route(path="/groups/{id}/members", read=lists.read_members),
    (resources.FORM_COMPLETIONS, FORM): Route(
        path="/forms/{id}/completions", read=lists.read_completions, filters=("updated_after",)
    ),
}


def route_of(query: PageQuery) -> Route:
    """Raises KeyError for a scope that the resource does not have."""
    return ROUTES[query.resource, kind_of(query.scope)]
