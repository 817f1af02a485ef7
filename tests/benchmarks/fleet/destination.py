"""A stand-in CRM+ with a fixed latency: `python -m benchmarks.fleet.destination <latency> <slow latency>`.

The sandbox keeps every contact and journals every request, and on two cores becomes the bottleneck; this one answers
creates and remembers when each came. The first part of a path is the customer, so that each has an address of its own.
Customers whose name begins with `slow` wait the slow latency. `GET /log` gives what was noted since it was last asked.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from typing import Any

#: One of its answers: enough of a contact for the product to link it.
INDIVIDUAL = {"firstName": "Fenmar", "lastName": "Quonox", "isPrimary": True, "contactMethods": []}


class Destination:
    def __init__(self, latency: float, slow_latency: float) -> None:
        self._latency = latency
        self._slow_latency = slow_latency
        self._ids = itertools.count(1)
        #: [customer, monotonic seconds of its arrival, the customer's requests under way, itself included]
        self._noted: list[tuple[str, float, int]] = []
        self._under_way: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept for as many requests as the client likes."""
        try:
            while head := await _head(reader):
                method, path, length = head
                await reader.readexactly(length)
                writer.write(_response(await self._answer(method, path)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone, as clients do
        finally:
            writer.close()

    async def _answer(self, method: str, path: str) -> Any:
        if path == "/log":
            noted, self._noted = self._noted, []
            return noted
        customer = path.split("/")[1]
        if method != "POST":
            return {"error": f"{method} {path} is not answered here"}
        return await self._create(customer)

    async def _create(self, customer: str) -> Any:
        self._under_way[customer] += 1
        self._noted.append((customer, time.monotonic(), self._under_way[customer]))
        await asyncio.sleep(self._slow_latency if customer.startswith("slow") else self._latency)
        self._under_way[customer] -= 1
        number = next(self._ids)
        return {"id": number, "contactIndividuals": [{"id": number, **INDIVIDUAL}]}


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, int] | None:
    """Method, path and length of the body; None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    method, path, _ = first.split(" ")
    return method, path, int(headers.get("content-length", "0"))


def _response(answer: Any) -> bytes:
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def main(latency: float, slow_latency: float) -> None:
    destination = Destination(latency, slow_latency)
    server = await asyncio.start_server(destination.serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2])))
