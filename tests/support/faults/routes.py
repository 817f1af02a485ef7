"""One upstream behind the proxy: the port that stands for it, the way of its connections, and what happened there."""

from __future__ import annotations

import asyncio
import random
import socket
from asyncio import AbstractServer, StreamReader, StreamWriter
from collections.abc import Callable, Coroutine
from typing import Any

from deploy.local.ports import LOOPBACK
from support.faults.links import End, Link, Tally
from support.faults.ways import LostReply, Pass, Reach, Refuse, Reset, Side, Way

#: Runs a coroutine on the proxy's thread and waits for it.
Calls = Callable[[Coroutine[Any, Any, None]], None]


class Route:
    """Made by `Proxy.route`; every public method may be called from any thread."""

    def __init__(self, host: str, upstream_port: int, call: Calls, dice: random.Random) -> None:
        self.tally = Tally()
        self._upstream = (host, upstream_port)
        self._call = call
        self._dice = dice
        self._way: Way = Pass()
        self._links: set[Link] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: AbstractServer | None = None
        #: Bound and never listening: while we refuse, nobody else gets the port, nor a client as its own.
        self._keeper = _bound(0)
        self.port: int = self._keeper.getsockname()[1]

    @property
    def open_links(self) -> int:
        return len(self._links)

    def switch(self, way: Way, *, reach: Reach = Reach.ALL) -> None:
        """From now on; returns when it is so."""
        self._call(self._switch(way, reach))

    async def listen(self) -> None:
        if self._server is None:
            listener = _bound(self.port)
            self._server = await asyncio.start_server(self._accept, sock=listener)

    async def end(self) -> None:
        self._deafen()
        for link in list(self._links):
            link.reset()
        self._keeper.close()

    async def _switch(self, way: Way, reach: Reach) -> None:
        if isinstance(way, LostReply):
            self.tally.replies_to_lose, self.tally.requests_to_skip = way.times, way.skip
        if reach is not Reach.EXISTING:
            await self._switch_new(way)
        if reach is not Reach.NEW:
            for link in list(self._links):
                link.switch(way)

    async def _switch_new(self, way: Way) -> None:
        self._way = way
        if isinstance(way, Refuse):
            self._deafen()
        else:
            await self.listen()

    def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        client = End(reader, writer)
        self.tally.accepted += 1
        if isinstance(self._way, Reset):
            self.tally.resets += 1
            client.reset()
            return
        try:
            upstream = End(*await asyncio.open_connection(*self._upstream))
        except OSError:
            client.reset()
            return
        link = Link({Side.CLIENT: client, Side.UPSTREAM: upstream}, self._way, self.tally, self._dice)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((LOOPBACK, port))
    return made
