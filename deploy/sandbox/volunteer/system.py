"""The Volunteer API as a system behind the gate: its routes, its token, its budget, its error bodies."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from deploy.sandbox.exchange import Endpoint, Refusal, Reply
from deploy.sandbox.organization import Organization
from deploy.sandbox.volunteer import community, forms, projects, users
from deploy.sandbox.world import World

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/users", users.list_users),
    Endpoint("GET", "/users/{id}", users.show_user),
    Endpoint("GET", "/projects", projects.list_projects),
    Endpoint("GET", "/projects/today", projects.list_today),
    Endpoint("GET", "/projects/date/{id}", projects.show_date),
    Endpoint("GET", "/projects/{id}", projects.show_project),
    Endpoint("GET", "/groups", community.list_groups),
    Endpoint("GET", "/groups/{id}", community.show_group),
    Endpoint("GET", "/groups/{id}/members", community.list_members),
    Endpoint("GET", "/campaigns", community.list_campaigns),
    Endpoint("GET", "/campaigns/{id}", community.show_campaign),
    Endpoint("GET", "/organizations", community.list_organizations),
    Endpoint("GET", "/organizations/{id}", community.show_organization),
    Endpoint("GET", "/certificates", community.list_certificates),
    Endpoint("GET", "/forms", forms.list_forms),
    Endpoint("GET", "/forms/{id}/completions", forms.list_completions),
    Endpoint("GET", "/forms/{id}/completions/{completion}", forms.show_completion),
)


class VolunteerSystem:
    """A bucket of requests per token and minute; errors in the manner of Laravel."""

    name = "volunteer"
    endpoints = ENDPOINTS

    def find(self, world: World, token: str) -> Organization | None:
        return world.by_volunteer_token(token)

    def admit(self, organization: Organization | None, now: datetime) -> None:
        if organization is None or not organization.settings.volunteer_token_valid:
            raise Refusal(401, "UNAUTHENTICATED", "Unauthenticated.")
        if not organization.volunteer_window.take(now, organization.settings.volunteer_requests_per_minute):
            wait = organization.volunteer_window.retry_after(now)
            raise Refusal(429, "RATE_LIMITED", "Too Many Requests", retry_after=wait)
        if organization.settings.volunteer_forbidden:
            raise Refusal(403, "FORBIDDEN", "This action is unauthorized.")

    def refuse(self, refusal: Refusal, organization: Organization | None) -> Reply:  # noqa: ARG002
        reply = Reply(refusal.status, payload=_body(refusal))
        if refusal.retry_after is not None:
            reply.headers["Retry-After"] = str(refusal.retry_after)
            if refusal.retry_after % 2:
                reply.payload = None  # as with the live service, a body cannot be relied on
        return reply

    def stamp(self, reply: Reply, organization: Organization | None, now: datetime) -> None:
        """The service sends no headers about its budget."""


def _body(refusal: Refusal) -> dict[str, Any]:
    if not refusal.details:
        return {"message": refusal.message}
    errors: dict[str, list[str]] = defaultdict(list)
    for detail in refusal.details:
        errors[detail["field"]].append(detail["message"])
    return {"message": refusal.message, "errors": errors}
