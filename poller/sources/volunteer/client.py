"""One answer of VOMO's in one request, and when to ask again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain import resources
from common.domain.customers import Customer
from common.domain.records import storable
from common.domain.sources import WHOLE, Page, PageQuery, ResourceTerms, Style
from common.http.client import ApiClient
from poller.sources.volunteer import cadence
from poller.sources.volunteer.answers import Asked
from poller.sources.volunteer.plan import ScanPlan, read_plan
from poller.sources.volunteer.routes import Route, route_of
from poller.sources.volunteer.scopes import DATE, FORM, GROUP, PROJECT, TODAY, USER
from poller.sources.volunteer.settings import VolunteerSettings, read_settings

NOT_FOUND = 404
LISTED_WHOLE = ResourceTerms(style=Style.SCOPED, roots=(WHOLE,))
#: In reading order: what is scoped comes after its parents.
TERMS: Mapping[str, ResourceTerms] = {
    resources.USERS: ResourceTerms(style=Style.MODIFIED, by_created=True, one=USER),
    # Its list knows no `updated_before` (facts: volunteer-api 1.2).
    resources.PROJECTS: ResourceTerms(style=Style.MODIFIED, bounded=False, one=PROJECT),
    resources.ORGANIZATIONS: LISTED_WHOLE,
    resources.CAMPAIGNS: LISTED_WHOLE,
    resources.CERTIFICATES: LISTED_WHOLE,
    resources.GROUPS: LISTED_WHOLE,
    resources.FORMS: LISTED_WHOLE,
    resources.PROJECT_DATES: ResourceTerms(style=Style.SCOPED, roots=(TODAY,), parents={resources.PROJECTS: PROJECT}),
    # Earned certificates come in the same answers.
    resources.PARTICIPATIONS: ResourceTerms(
        style=Style.SCOPED,
        parents={resources.PROJECT_DATES: DATE, resources.USERS: USER},
        also=(resources.EARNED_CERTIFICATES,),
    ),
    resources.GROUP_MEMBERS: ResourceTerms(style=Style.SCOPED, parents={resources.GROUPS: GROUP}),
    resources.FORM_COMPLETIONS: ResourceTerms(style=Style.SCOPED, parents={resources.FORMS: FORM}, takes_since=True),
}


class VolunteerSource:
    """Implements `common.domain.sources.Source` for one customer's token."""

    resources: Sequence[str] = tuple(TERMS)
    terms: Mapping[str, ResourceTerms] = TERMS

    def __init__(self, api: ApiClient, customer: Customer, settings: VolunteerSettings, plan: ScanPlan) -> None:
        self._api = api
        self._customer_id = customer.customer_id
        self._settings = settings
        self._plan = plan

    def page(self, query: PageQuery) -> Page:
        """A page that follows needs the scope and the parent of the first. Raises PageUnreadable if the answer is not
        a page; an item that cannot be read is in `broken`.
        """
        route = route_of(query)
        answer = self._api.read(
            route.path,
            query=_filters(route, query),
            url=query.next_page,
            names={"id": query.scope.partition("/")[2]},
            accept=(NOT_FOUND,) if route.is_of_one else (),
        )
        if answer.status == NOT_FOUND:
            return Page(records=(), broken=(), next_page=None, total=None, answered_at=answer.date, is_gone=True)
        return route.read(
            Asked(
                customer_id=self._customer_id,
                settings=self._settings,
                query=query,
                route=route.path,
                body=storable(answer.json()),
                date=answer.date,
            )
        )

    def due_at(
        self, resource: str, scope: str, parent: Mapping[str, Any], *, read_at: datetime | None, now: datetime
    ) -> datetime | None:
        """As `cadence` says."""
        return cadence.due_at(
            resource, scope, parent, read_at=read_at, now=now, settings=self._settings, plan=self._plan
        )


def open_volunteer(api: ApiClient, customer: Customer, *, plan: Mapping[str, Any] | None = None) -> VolunteerSource:
    """`plan`: a ScanPlan's body. Raises CustomerInvalid, naming the setting that is malformed."""
    settings = read_settings(customer)
    return VolunteerSource(api, customer, settings, read_plan(plan or {}, settings))


def _filters(route: Route, query: PageQuery) -> Mapping[str, str] | None:
    """None when following a link: it carries its filters already."""
    if query.next_page is not None:
        return None
    bounds: dict[str, datetime | None] = {name: getattr(query, name) for name in route.filters}
    return {name: _spelled(moment) for name, moment in bounds.items() if moment is not None}


def _spelled(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
