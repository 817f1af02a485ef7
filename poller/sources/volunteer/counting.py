"""How large an account is: from the mirror, or, before that has every list, from what the lists say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.domain import resources
from common.domain.projects import Project
from common.domain.sizes import Sizes
from common.domain.sources import PageQuery, Source
from poller.sources.volunteer.distance import distance
from poller.sources.volunteer.estimate import Counts
from poller.sources.volunteer.settings import VolunteerSettings

#: Resources with a list of their own, by the name of their count: the others are only shown scope by scope.
LISTS: Mapping[str, str] = {
    resources.USERS: "users",
    resources.PROJECTS: "projects",
    resources.ORGANIZATIONS: "organizations",
    resources.CAMPAIGNS: "campaigns",
    resources.CERTIFICATES: "certificates",
    resources.GROUPS: "groups",
    resources.FORMS: "forms",
}
INSIDE: Mapping[str, str] = {resources.GROUP_MEMBERS: "members", resources.FORM_COMPLETIONS: "completions"}
#: All that a count tells anything about.
COUNTED = (*LISTS, resources.PROJECT_DATES, *INSIDE)
#: What a plan depends on: with a part of these it would be another one tomorrow.
NEEDED = (resources.USERS, resources.PROJECTS, resources.CERTIFICATES, resources.PROJECT_DATES)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """An account's size, and what is not known of it."""

    counts: Counts
    #: Resources of which the mirror has a part at most: their figures are too low.
    unknown: tuple[str, ...] = ()
    #: Of which the lists themselves were asked, one request each.
    asked: tuple[str, ...] = ()


def is_enough(sizes: Sizes, customer_id: str) -> bool:
    """Whether the mirror has what a plan depends on: one small look, for it is asked at each poll of a first day."""
    return not set(NEEDED).difference(sizes.listed(customer_id))


def count(sizes: Sizes, customer_id: str, settings: VolunteerSettings, now: datetime) -> Counted:
    """From the mirror alone."""
    by_resource, listed = sizes.counts(customer_id), sizes.listed(customer_id)
    unknown = tuple(resource for resource in COUNTED if resource not in listed)
    if not is_enough(sizes, customer_id):
        # A part of the dates tells nothing, so the bodies are left alone.
        unclear = tuple(dict.fromkeys((*unknown, resources.PROJECT_DATES)))
        return Counted(counts=Counts(**_by_name(by_resource)), unknown=unclear)
    kinds = Counter(_kind(body) for body in sizes.bodies(customer_id, resources.PROJECTS))
    dates = Counter(distance(body, settings, now) for body in sizes.bodies(customer_id, resources.PROJECT_DATES))
    counts = Counts(
        **_by_name(by_resource), active_projects=kinds["active"], anytime_projects=kinds["anytime"], dates=dates
    )
    return Counted(counts=counts, unknown=unknown)


def ask(source: Source, counted: Counted) -> Counted:
    """The same with what the lists say of themselves: one request for each that is unknown. Raises SyncError."""
    wanted = [resource for resource in LISTS if resource in counted.unknown]
    totals = {resource: source.page(PageQuery(resource=resource)).total for resource in wanted}
    found: dict[str, Any] = {LISTS[resource]: total for resource, total in totals.items() if total is not None}
    counts = replace(counted.counts, **found)
    # How many are drafts, inactive or Anytime is not known yet; that they all have dates is the most they can cost.
    counts = replace(counts, active_projects=counts.projects)
    asked = tuple(resource for resource, total in totals.items() if total is not None)
    unknown = tuple(resource for resource in counted.unknown if resource not in asked)
    return Counted(counts=counts, unknown=unknown, asked=asked)


def _by_name(by_resource: Mapping[str, int]) -> dict[str, Any]:
    return {name: by_resource.get(resource, 0) for resource, name in {**LISTS, **INSIDE}.items()}


def _kind(body: Mapping[str, Any]) -> str:
    project = Project.from_body(body)
    if project.draft or not project.active:
        return "idle"
    return "anytime" if project.anytime else "active"
