"""The server process: uvicorn with connections that can be cut, and a ticker for what becomes due."""

import asyncio
import json
import sys
from asyncio import BaseTransport

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from deploy.sandbox.application import build_app
from deploy.sandbox.responses import TRANSPORT_KEY
from deploy.sandbox.world import World

TICK_SECONDS = 0.05
#: Longer than a client pool keeps idle connections, so that only ordered faults cut one.
KEEP_ALIVE_SECONDS = 120


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 that shows the application its transport."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.app = _with_transport(self.app, transport)


class AnnouncedServer(uvicorn.Server):
    """Prints its URL as one JSON line once it listens."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        sys.stdout.write(json.dumps({"url": f"http://{host}:{port}"}) + "\n")
        sys.stdout.flush()


async def serve(world: World, *, host: str, port: int) -> None:
    """Serves until a signal asks to stop; a fault of the ticker ends the process."""
    config = uvicorn.Config(
        build_app(world),
        host=host,
        port=port,
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(_tick(world))
        await AnnouncedServer(config).serve()
        ticking.cancel()


async def _tick(world: World) -> None:
    while True:
        world.tick()
        await asyncio.sleep(TICK_SECONDS)


def _with_transport(app: ASGIApp, transport: BaseTransport) -> ASGIApp:
    async def serve_with_transport(scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT_KEY] = transport
        await app(scope, receive, send)

    return serve_with_transport
