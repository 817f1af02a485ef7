"""Organizations and their users, as a test creates and changes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.sandbox.accounts import base_path
from deploy.sandbox.admin.handling import Body, answer, organization_named, route
from deploy.sandbox.admin.values import settled
from deploy.sandbox.crm.imports import run_all
from deploy.sandbox.edits import create_user
from deploy.sandbox.export import export_organization
from deploy.sandbox.organization import Organization, moment
from deploy.sandbox.settings import revise
from deploy.sandbox.volunteer.directory import MAPPED_FIELDS, User
from deploy.sandbox.world import World

STAMPS = ("created_at", "updated_at")


class Organizations:
    """`/admin/organizations`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        one = "/organizations/{name}"
        return [
            route("GET", "/organizations", self.list_all),
            route("POST", "/organizations", self.create),
            route("PUT", one, self.change),
            route("POST", f"{one}/users", self.create_user),
            route("PATCH", f"{one}/users/{{id:int}}", self.change_user),
            route("DELETE", f"{one}/users/{{id:int}}", self.delete_user),
            route("POST", f"{one}/import", self.run_import),
        ]

    def list_all(self, request: Request, _body: Body) -> Response:
        return answer([_access(row, request) for row in self._world.organizations.values()])

    def create(self, request: Request, body: Body) -> Response:
        created = []
        for options in body["customers"]:
            settings = {name: value for name, value in options.items() if name != "name"}
            created.append(self._world.create_organization(options["name"], settings))
        return answer([_access(row, request) for row in created], status=201)

    def change(self, request: Request, body: Body) -> Response:
        organization = self._organization(request)
        organization.settings = revise(organization.settings, body)
        return answer(export_organization(organization)["settings"])

    def create_user(self, request: Request, body: Body) -> Response:
        organization = self._organization(request)
        user = create_user(organization, organization.random, self._world.clock, _user_values(body))
        return answer(user.as_json(), status=201)

    def change_user(self, request: Request, body: Body) -> Response:
        """Sets values; `omit` hides fields, `silent` leaves `updated_at` where it is."""
        organization, user = self._organization(request), self._user(request)
        values = _user_values(body)
        user.omitted = frozenset(values.pop("omit", user.omitted))
        silent = bool(values.pop("silent", False))
        kind = "email" if set(values) & set(MAPPED_FIELDS) == {"email"} else "change"
        organization.source.change(user, values, moment(self._world.clock), kind=kind, silent=silent)
        return answer(user.as_json())

    def delete_user(self, request: Request, _body: Body) -> Response:
        self._organization(request).source.delete(self._user(request).id, moment(self._world.clock))
        return Response(status_code=204)

    def run_import(self, request: Request, _body: Body) -> Response:
        count = run_all(self._organization(request), self._world.journal, self._world.clock.now())
        return answer({"imported": count})

    def _organization(self, request: Request) -> Organization:
        return organization_named(self._world, request.path_params["name"])

    def _user(self, request: Request) -> User:
        user = self._organization(request).source.directory.get(request.path_params["id"])
        if user is None:
            raise HTTPException(404, "no such user")
        return user


def _access(organization: Organization, request: Request) -> Mapping[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}{base_path(organization.name)}"
    return {
        "name": organization.name,
        "volunteer_base_url": f"{base}/volunteer/v1",
        "volunteer_token": organization.volunteer_token,
        "crm_base_url": f"{base}/crm",
        "crm_token": organization.crm_token,
        "users": len(organization.source.directory),
        "canary": organization.canary,
    }


def _user_values(body: Body) -> dict[str, Any]:
    """The values of a body, with stamps given as ISO times turned into unix seconds."""
    stamps = {name: int(datetime.fromisoformat(body[name]).timestamp()) for name in STAMPS if name in body}
    rows = {"participations": [settled(row) for row in body["participations"]]} if "participations" in body else {}
    return {**body, **stamps, **rows}
