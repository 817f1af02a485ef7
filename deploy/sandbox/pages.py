"""Pages that lie: rows left out, or the previous page served again."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deploy.sandbox.exchange import Call, Handler, Reply

DEFAULT_TAKE = 10


def served_ids(payload: object) -> Sequence[int]:
    """The ids of the records in an answer of the Volunteer API."""
    data = payload.get("data") if isinstance(payload, dict) else None
    rows = data if isinstance(data, list) else [data]
    return array("q", (int(row["id"]) for row in rows if isinstance(row, dict) and "id" in row))


def truncated(reply: Reply) -> Reply:
    """The page with about a third of its rows missing, and its totals untouched."""
    rows = _rows(reply)
    if not rows:
        return reply
    kept = [row for position, row in enumerate(rows) if position % 3 != 1 or len(rows) == 1]
    return _with_rows(reply, kept if len(rows) > 1 else [])


def repeated(handle: Handler, call: Call, reply: Reply) -> Reply:
    """The page's frame around the previous page's rows; the first page has none before it."""
    query = _previous(call)
    if query is None or _rows(reply) is None:
        return reply
    return _with_rows(reply, _rows(handle(replace(call, query=query))) or [])


def _previous(call: Call) -> dict[str, str] | None:
    query = dict(call.query)
    number = _number(query, "page", 1)
    if number > 1:
        return {**query, "page": str(number - 1)}
    skip, take = _number(query, "skip", 0), _number(query, "take", DEFAULT_TAKE)
    return {**query, "skip": str(max(0, skip - take))} if skip > 0 else None


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() else default


def _key(reply: Reply) -> str:
    return "data" if isinstance(reply.payload, dict) and "data" in reply.payload else "list"


def _rows(reply: Reply) -> list[Any] | None:
    rows = reply.payload.get(_key(reply)) if isinstance(reply.payload, dict) else None
    return rows if isinstance(rows, list) else None


def _with_rows(reply: Reply, rows: list[Any]) -> Reply:
    return replace(reply, payload={**reply.payload, _key(reply): rows})
