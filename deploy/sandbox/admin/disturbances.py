"""The edit stream and the fault rules."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.sandbox.admin.handling import Body, answer, organization_named, route
from deploy.sandbox.edits import CHANGES, DEFAULT_WEIGHTS, EditStream
from deploy.sandbox.world import World


class Disturbances:
    """`/admin/edits` and `/admin/faults`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            route("GET", "/edits", self.show_edits),
            route("POST", "/edits", self.start_edits),
            route("DELETE", "/edits", self.stop_edits),
            route("GET", "/faults", self.list_faults),
            route("POST", "/faults", self.add_faults),
            route("DELETE", "/faults", self.clear_faults),
            route("DELETE", "/faults/{id}", self.remove_fault),
        ]

    def show_edits(self, _request: Request, _body: Body) -> Response:
        idle = {"running": False, "applied": {}, "remaining_seconds": 0.0}
        return answer(self._world.edits.as_json() if self._world.edits else idle)

    def start_edits(self, _request: Request, body: Body) -> Response:
        """Starts a stream in place of the present one."""
        weights = body.get("weights") or DEFAULT_WEIGHTS
        if unknown := set(weights) - {"create", *CHANGES}:
            raise HTTPException(422, f"unknown kinds of edit {sorted(unknown)}")
        names = body.get("organizations") or list(self._world.organizations)
        self._world.edits = EditStream(
            [organization_named(self._world, name) for name in names],
            random=self._world.generator(f"edits:{body.get('seed', 0)}"),
            clock=self._world.clock,
            seconds=float(body["seconds"]),
            per_second=float(body["per_second"]),
            weights=weights,
        )
        return answer(self._world.edits.as_json(), status=202)

    def stop_edits(self, request: Request, body: Body) -> Response:
        if self._world.edits:
            self._world.edits.stop()
        return self.show_edits(request, body)

    def list_faults(self, _request: Request, _body: Body) -> Response:
        return answer({"rules": list(self._world.faults.listing())})

    def add_faults(self, _request: Request, body: Body) -> Response:
        now = self._world.clock.now()
        return answer({"ids": [self._world.faults.add(rule, now) for rule in body["rules"]]}, status=201)

    def clear_faults(self, _request: Request, _body: Body) -> Response:
        self._world.faults.clear()
        return Response(status_code=204)

    def remove_fault(self, request: Request, _body: Body) -> Response:
        if not self._world.faults.remove(request.path_params["id"]):
            raise HTTPException(404, "no such fault")
        return Response(status_code=204)
