"""CRM+ as a system behind the gate: its token, its budget with headers, its two error shapes."""

from collections import defaultdict
from datetime import datetime
from http import HTTPStatus
from typing import Any

from deploy.sandbox.crm.routes import ENDPOINTS
from deploy.sandbox.exchange import Refusal, Reply
from deploy.sandbox.organization import Organization
from deploy.sandbox.world import World

DENIED = b"Authorization has been denied for this request."


class CrmSystem:
    """A bucket of requests per organization and hour, told in every answer."""

    name = "crm"
    endpoints = ENDPOINTS

    def find(self, world: World, token: str) -> Organization | None:
        return world.by_crm_token(token)

    def admit(self, organization: Organization | None, now: datetime) -> None:
        if organization is None or not organization.settings.crm_token_valid:
            raise Refusal(401, "UNAUTHENTICATED", "Authorization has been denied for this request.")
        if not organization.crm_window.take(now, organization.settings.crm_requests_per_hour):
            wait = organization.crm_window.retry_after(now)
            raise Refusal(429, "RATE_LIMITED", "The hourly request limit has been reached.", retry_after=wait)

    def refuse(self, refusal: Refusal, organization: Organization | None) -> Reply:
        """Plain text for a bad token, the envelope for the budget, else the organization's shape."""
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            return Reply(401, content=DENIED, media_type="text/plain")
        flat = organization is not None and organization.settings.error_shape == "flat"
        limited = refusal.status == HTTPStatus.TOO_MANY_REQUESTS
        reply = Reply(refusal.status, payload=_flat(refusal) if flat and not limited else _envelope(refusal))
        if refusal.retry_after is not None:
            reply.headers["Retry-After"] = str(refusal.retry_after)
        return reply

    def stamp(self, reply: Reply, organization: Organization | None, now: datetime) -> None:
        if organization is None:
            return
        limit = organization.settings.crm_requests_per_hour
        reply.headers["X-RateLimit-Limit"] = str(limit)
        reply.headers["X-RateLimit-Remaining"] = str(organization.crm_window.remaining(now, limit))
        reply.headers["X-RateLimit-Reset"] = str(organization.crm_window.resets_at(now))


def _envelope(refusal: Refusal) -> dict[str, Any]:
    return {"error": {"code": refusal.code, "message": refusal.message, "details": refusal.details}}


def _flat(refusal: Refusal) -> dict[str, Any]:
    errors: dict[str, list[str]] = defaultdict(list)
    for detail in refusal.details:
        errors[detail["field"]].append(detail["message"])
    body: dict[str, Any] = {"error": refusal.code.lower(), "error_description": refusal.message}
    return {**body, "errors": errors} if errors else body
