"""Answers on the wire: rendered replies, ordered failures, and connections cut before a byte."""

import json
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deploy.sandbox.exchange import Refusal, Reply
from deploy.sandbox.faults import Plan

HTML = b"<html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
#: Set by the server's protocol, so that a connection can be cut.
TRANSPORT_KEY = "sandbox.transport"
CODES: Mapping[int, str] = {404: "NOT_FOUND", 409: "CONFLICT", 422: "VALIDATION_FAILED", 429: "RATE_LIMITED"}
DEFAULT_RETRY_AFTER_SECONDS = 1
#: On, for 0 seconds: closing discards what is unsent and resets (man 7 socket, SO_LINGER).
LINGER_ZERO = struct.pack("ii", 1, 0)


class DroppedConnection(Response):
    """Cuts the connection without sending a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        scope[TRANSPORT_KEY].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class ResetConnection(DroppedConnection):
    """The same with a reset (RST) instead of an end (FIN)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope[TRANSPORT_KEY].get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        await super().__call__(scope, receive, send)


def rendered(reply: Reply) -> Response:
    content = reply.content
    if content is None:
        content = b"" if reply.payload is None else json.dumps(reply.payload, separators=(",", ":")).encode()
    media_type = reply.media_type if content else None
    return Response(content, status_code=reply.status, headers=reply.headers, media_type=media_type)


def not_json() -> Reply:
    """A success that is no JSON, as from a proxy in the way."""
    return Reply(content=HTML, media_type="text/html")


def failure(plan: Plan) -> Reply | Refusal:
    """What a rule answers instead of the service: a proxy's body, or a refusal for the system to word."""
    status = plan.status or HTTPStatus.SERVICE_UNAVAILABLE
    wait = _retry_after(plan)
    body = plan.step.body if plan.step else plan.rule.body if plan.rule else "empty"
    if body == "json":
        return Refusal(status, _code(status), "The service is having trouble.", retry_after=wait)
    content = HTML if body == "html" else b""
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return Reply(status, content=content, media_type="text/html", headers=headers)


def _retry_after(plan: Plan) -> int | None:
    if plan.step:
        return plan.step.retry_after_seconds
    if plan.rule is None:
        return None
    default = DEFAULT_RETRY_AFTER_SECONDS if plan.rule.kind == "rate_limit" else None
    return default if plan.rule.retry_after_seconds is None else plan.rule.retry_after_seconds


def _code(status: int) -> str:
    return CODES.get(status, "BAD_REQUEST" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "SERVICE_UNAVAILABLE")
