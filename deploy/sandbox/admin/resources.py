"""Records of everything but users, as a test creates, changes and deletes them."""

from typing import Any
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.sandbox.admin.handling import Body, answer, organization_named, route
from deploy.sandbox.admin.values import settled
from deploy.sandbox.inventing import make, settle_answers
from deploy.sandbox.organization import Organization, moment
from deploy.sandbox.volunteer.records import Book
from deploy.sandbox.world import World

#: What a body cannot set, and why.
NOT_GIVEN = {
    "id": "it is given by the sandbox; leave it out",
    "members": "they are records of their own; use group_members",
}


class Resources:
    """`/admin/organizations/{name}/records`; values are taken as they are given, malformed ones too."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        every = "/organizations/{name}/records/{resource}"
        one = f"{every}/{{id:path}}"
        return [
            route("POST", every, self.create),
            route("PATCH", one, self.change),
            route("DELETE", one, self.delete),
        ]

    def create(self, request: Request, body: Body) -> Response:
        organization, resource = self._organization(request), self._resource(request)
        values = _values(organization, body)
        row = make(organization, organization.random, moment(self._world.clock), resource, **values)
        return answer(row, status=201)

    def change(self, request: Request, body: Body) -> Response:
        values = _values(self._organization(request), body)
        silent = bool(values.pop("silent", False))
        return answer(self._book(request).change(_id(request), values, moment(self._world.clock), silent=silent))

    def delete(self, request: Request, _body: Body) -> Response:
        self._book(request).delete(_id(request), moment(self._world.clock))
        return Response(status_code=204)

    def _organization(self, request: Request) -> Organization:
        return organization_named(self._world, request.path_params["name"])

    def _book(self, request: Request) -> Book:
        return self._organization(request).books[self._resource(request)]

    def _resource(self, request: Request) -> str:
        name, known = str(request.path_params["resource"]), self._organization(request).books
        if name not in known:
            raise HTTPException(404, f"no resource {name!r}, there are {sorted(known)}")
        return name


def _id(request: Request) -> str:
    return unquote(request.path_params["id"])


def _values(organization: Organization, body: Body) -> dict[str, Any]:
    """The values of a body: readable times as unix seconds, answers with ids.

    Raises HTTPException 422 for what is not the test's to give.
    """
    for name, why in NOT_GIVEN.items():
        if name in body:
            raise HTTPException(422, f"{name}: {why}")
    values = settled(body)
    if "answers" in values:
        values["answers"] = settle_answers(organization.source, values["answers"])
    return values
