"""A TCP proxy on a thread of its own, switched from the test: between us and everything."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from deploy.local.ports import LOOPBACK
from support.faults.routes import Route

#: Seconds for a switch to be obeyed; it takes milliseconds.
CALL_SECONDS = 30


class Proxy:
    """Any number of upstreams, each on a port of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self._loop = loop
        self._dice = random.Random(seed)
        self._routes: list[Route] = []

    def route(self, upstream_port: int, *, host: str = LOOPBACK) -> Route:
        """Listens when it returns, and passes."""
        made = Route(host, upstream_port, self.call, self._dice)
        self.call(made.listen())
        self._routes.append(made)
        return made

    def call(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(CALL_SECONDS)

    async def end(self) -> None:
        """Everything is reset, and no task is left."""
        for route in self._routes:
            await route.end()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # For the sockets, which close in the next turn of the loop.


@contextmanager
def running_proxy(*, seed: int = 0) -> Iterator[Proxy]:
    """Its jitter follows the seed."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    proxy = Proxy(loop, seed)
    try:
        yield proxy
    finally:
        proxy.call(proxy.end())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
