"""The ASGI application: the two APIs behind their gates, and the admin surface."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.sandbox.accounts import enter
from deploy.sandbox.admin.routes import admin_routes
from deploy.sandbox.crm.system import CrmSystem
from deploy.sandbox.exchange import Call, Endpoint, Refusal, Reply
from deploy.sandbox.gate import Gate, System
from deploy.sandbox.volunteer.system import VolunteerSystem
from deploy.sandbox.world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def build_app(world: World) -> ASGIApp:
    """The sandbox of a world, to be served or called in process."""
    return RawPaths(
        Starlette(
            routes=[
                Mount("/volunteer/v1", routes=_routes(world, VolunteerSystem())),
                Mount("/crm", routes=_routes(world, CrmSystem())),
                Mount("/admin", routes=admin_routes(world)),
            ]
        )
    )


class RawPaths:
    """Routes by the undecoded path, so that a reference may contain an encoded slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = scope["raw_path"].decode("ascii").partition("?")[0]
            enter(scope)
        await self._app(scope, receive, send)


def _routes(world: World, system: System) -> list[BaseRoute]:
    gate = Gate(world, system)
    routes: list[BaseRoute] = [
        Route(endpoint.template, _serve(gate, endpoint), methods=[endpoint.method]) for endpoint in system.endpoints
    ]
    unknown = Endpoint("*", "/{rest:path}", _refuse_unknown)
    return [*routes, Route("/{rest:path}", _serve(gate, unknown), methods=METHODS)]


def _serve(gate: Gate, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return await gate.serve(request, endpoint)

    return serve


def _refuse_unknown(_call: Call) -> Reply:
    raise Refusal(404, "NOT_FOUND", "There is nothing at this path.")
