"""What every API request passes: token, budget, faults, handler, journal."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from deploy.sandbox.exchange import Call, Endpoint, Refusal, Reply
from deploy.sandbox.faults import Plan, Rule, Target
from deploy.sandbox.journal import Entry
from deploy.sandbox.organization import Organization
from deploy.sandbox.pages import repeated, served_ids, truncated
from deploy.sandbox.responses import DroppedConnection, ResetConnection, failure, not_json, rendered
from deploy.sandbox.script import Step
from deploy.sandbox.world import World


class System(Protocol):
    """What differs between the two services before a handler is reached."""

    name: str
    endpoints: tuple[Endpoint, ...]

    def find(self, world: World, token: str) -> Organization | None: ...

    def admit(self, organization: Organization | None, now: datetime) -> None:
        """Raises Refusal where the token is not good for a request now."""

    def refuse(self, refusal: Refusal, organization: Organization | None) -> Reply: ...

    def stamp(self, reply: Reply, organization: Organization | None, now: datetime) -> None:
        """Adds the headers that every answer of the service carries."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as received, before anything was decided about it."""

    at: datetime  #: the moment that counts for the budget, and in the journal
    request: Request
    endpoint: Endpoint
    content: bytes
    organization: Organization | None
    entry: Entry


class Gate:
    """Serves the requests of one system."""

    def __init__(self, world: World, system: System) -> None:
        self._world = world
        self._system = system
        self._templates = frozenset(endpoint.template for endpoint in system.endpoints)

    async def serve(self, request: Request, endpoint: Endpoint) -> Response:
        content = await request.body() if request.method != "GET" else b""
        arrival = self._arrive(request, endpoint, content)
        refused, plan = self._decide(arrival)
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        try:
            return self._answer(arrival, refused, plan)
        except Exception:
            self._close(arrival, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    def _arrive(self, request: Request, endpoint: Endpoint, content: bytes) -> Arrival:
        now = self._world.clock.now()
        organization = self._system.find(self._world, _bearer(request))
        entry = self._world.journal.begin(
            at=now.timestamp(),
            system=self._system.name,
            organization=organization.name if organization else None,
            method=request.method,
            route=endpoint.template,
            path=request.scope["path"],
            query=request.url.query,
        )
        return Arrival(now, request, endpoint, content, organization, entry)

    def _decide(self, arrival: Arrival) -> tuple[Refusal | None, Plan]:
        """Budgets and faults are settled on arrival; a request that the service itself refuses meets no fault."""
        try:
            self._system.admit(arrival.organization, arrival.at)
        except Refusal as refusal:
            return refusal, Plan()
        plan = self._world.faults.plan(self._target(arrival), arrival.at)
        arrival.entry.fault = plan.kind
        return None, plan

    def _target(self, arrival: Arrival) -> Target:
        entry, scope = arrival.entry, arrival.request.scope
        path = scope["path"].removeprefix(scope["root_path"])
        return Target(entry.system, entry.organization, entry.method, entry.route, path, self._templates)

    def _answer(self, arrival: Arrival, refused: Refusal | None, plan: Plan) -> Response:
        kind = plan.rule.kind if plan.rule else None
        if kind == "drop_before_apply":
            return self._drop(arrival)
        if plan.step:
            return self._play(arrival, plan, plan.step)
        if plan.status is not None and plan.rule is not None:
            return self._finish(arrival, self._faulty(plan, arrival))
        reply = self._refused(refused, arrival) if refused else self._apply(arrival, plan.rule)
        if kind == "drop_after_apply":
            return self._drop(arrival)
        if kind == "not_json" and reply.status < HTTPStatus.BAD_REQUEST:
            reply = not_json()
        return self._finish(arrival, reply)

    def _play(self, arrival: Arrival, plan: Plan, step: Step) -> Response:
        if step.applied:
            self._apply(arrival, None)
        if step.reset:
            self._close(arrival, None)
            return ResetConnection()
        return self._finish(arrival, self._faulty(plan, arrival))

    def _apply(self, arrival: Arrival, rule: Rule | None) -> Reply:
        try:
            call = self._call(arrival)
            reply = arrival.endpoint.handle(call)
            reply = self._spoil(arrival, call, reply, rule)
        except Refusal as refusal:
            return self._refused(refusal, arrival)
        arrival.entry.applied = True
        if self._system.name == "volunteer":
            arrival.entry.record_ids = served_ids(reply.payload)
        return reply

    @staticmethod
    def _spoil(arrival: Arrival, call: Call, reply: Reply, rule: Rule | None) -> Reply:
        """Falsifies a page; where there is nothing to falsify, the fault did not happen."""
        kind = rule.kind if rule else None
        if kind == "truncate_page":
            spoiled = truncated(reply)
        elif kind == "repeat_page":
            spoiled = repeated(arrival.endpoint.handle, call, reply)
        else:
            return reply
        if spoiled is reply:
            arrival.entry.fault = None
        elif rule:
            rule.hits += 1
        return spoiled

    def _call(self, arrival: Arrival) -> Call:
        request = arrival.request
        return Call(
            organization=self._known(arrival),
            now=self._world.clock.now(),
            url=str(request.url.replace(query="")),
            parameters={name: unquote(value) for name, value in request.path_params.items()},
            query=request.query_params,
            body=_parsed(arrival.content),
            entry=arrival.entry,
        )

    @staticmethod
    def _known(arrival: Arrival) -> Organization:
        """The organization, which every admitted request has."""
        if arrival.organization is None:
            raise LookupError("a request without an organization was admitted")
        return arrival.organization

    def _refused(self, refusal: Refusal, arrival: Arrival) -> Reply:
        return self._system.refuse(refusal, arrival.organization)

    def _faulty(self, plan: Plan, arrival: Arrival) -> Reply:
        """A fault in the system's own words, or in a proxy's."""
        trouble = failure(plan)
        return self._refused(trouble, arrival) if isinstance(trouble, Refusal) else trouble

    def _finish(self, arrival: Arrival, reply: Reply) -> Response:
        now = self._world.clock.now()
        self._system.stamp(reply, arrival.organization, now)
        self._close(arrival, reply.status)
        return rendered(reply)

    def _drop(self, arrival: Arrival) -> Response:
        self._close(arrival, None)
        return DroppedConnection()

    def _close(self, arrival: Arrival, status: int | None) -> None:
        arrival.entry.status = status
        arrival.entry.finished_at = self._world.clock.now().timestamp()


def _bearer(request: Request) -> str:
    """The token, or nothing where the header is not spelled exactly as documented."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _parsed(content: bytes) -> object:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError as error:
        raise Refusal(400, "BAD_REQUEST", "The body is not valid JSON.") from error
