"""What a test reads back: health, the state of every organization, the journal."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from deploy.sandbox.admin.handling import Body, answer, organization_named, route
from deploy.sandbox.export import export_organization, export_world
from deploy.sandbox.journal import Entry
from deploy.sandbox.seals import digest
from deploy.sandbox.world import World

#: Journal lines per chunk, so that a long answer does not hold up the API requests.
CHUNK_LINES = 500


class Records:
    """`/admin/health`, `/admin/export`, `/admin/journal` and `/admin/evidence`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [
            route("GET", "/health", self.show_health),
            route("GET", "/export", self.export_all),
            route("GET", "/export/{name}", self.export_one),
            route("GET", "/journal", self.read_journal),
            route("GET", "/evidence", self.read_evidence),
        ]

    def show_health(self, _request: Request, _body: Body) -> Response:
        counts = {"organizations": len(self._world.organizations), "journal_entries": len(self._world.journal)}
        return answer({"status": "ok", "seed": self._world.seed, **counts})

    def export_all(self, _request: Request, _body: Body) -> Response:
        """Each organization is a snapshot; between two of them other requests may be served."""
        return StreamingResponse(_exported(self._world), media_type="application/json")

    def export_one(self, request: Request, _body: Body) -> Response:
        return answer(export_organization(organization_named(self._world, request.path_params["name"])))

    def read_evidence(self, _request: Request, _body: Body) -> Response:
        """Journal, export and the seal over both, of one moment: nothing else is served until it is written."""
        journal = [entry.as_json() for entry in self._world.journal.after(0, None)]
        # As it will be read: numbers that are keys have become text.
        export = json.loads(json.dumps(export_world(self._world)))
        seal = {**self._world.sealed(), "export": digest(export)}
        return answer({"seal": seal, "journal": journal, "export": export})

    def read_journal(self, request: Request, _body: Body) -> Response:
        """Entries with a greater number than `after`; one still being answered has no `finished_at`."""
        after = int(request.query_params.get("after", 0))
        limit = request.query_params.get("limit")
        entries = self._world.journal.after(after, None if limit is None else int(limit))
        return StreamingResponse(_lines(entries), media_type="application/x-ndjson")


async def _lines(entries: Iterator[Entry]) -> AsyncIterator[str]:
    chunk: list[str] = []
    for entry in entries:
        chunk.append(json.dumps(entry.as_json(), separators=(",", ":")) + "\n")
        if len(chunk) == CHUNK_LINES:
            yield "".join(chunk)
            chunk = []
            await asyncio.sleep(0)
    yield "".join(chunk)


async def _exported(world: World) -> AsyncIterator[str]:
    separator = '{"organizations":{'
    for name, organization in list(world.organizations.items()):
        yield f"{separator}{json.dumps(name)}:{json.dumps(export_organization(organization), separators=(',', ':'))}"
        separator = ","
        await asyncio.sleep(0)
    yield "}}" if separator == "," else '{"organizations":{}}'
