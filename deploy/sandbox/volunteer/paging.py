"""The list envelope of the Volunteer API: fixed pages of 15, full links, loosely typed numbers."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from deploy.sandbox.exchange import Call, Reply
from deploy.sandbox.volunteer.spelling import Spelling

#: The live service lets no client change it.
PAGE_SIZE = 15

T = TypeVar("T")


def page(call: Call, items: Sequence[T], render: Callable[[T], dict[str, Any]]) -> Reply:
    """The asked page of the items; a page past the end is empty, as in the live service."""
    number = page_number(call.query.get("page"))
    start = (number - 1) * PAGE_SIZE
    rows = [render(item) for item in items[start : start + PAGE_SIZE]]
    last = max(1, -(-len(items) // PAGE_SIZE))
    return Reply(
        payload={
            "data": rows,
            "links": _links(call, number, last),
            "meta": _meta(call, number, last, rows=len(rows), total=len(items)),
        }
    )


def single(row: dict[str, Any]) -> Reply:
    return Reply(payload={"data": row})


def page_number(text: str | None) -> int:
    """The page asked for; nonsense means the first, as in Laravel."""
    return int(text) if text and text.isascii() and text.isdecimal() and int(text) > 0 else 1


def _links(call: Call, number: int, last: int) -> dict[str, str | None]:
    end = Spelling(call.organization.settings).end()

    def link(target: int) -> str:
        return f"{call.url}?{urlencode({**call.query, 'page': target})}"

    return {
        "first": link(1),
        "last": link(last),
        "prev": link(number - 1) if number > 1 else end,
        "next": link(number + 1) if number < last else end,
    }


def _meta(call: Call, number: int, last: int, *, rows: int, total: int) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    first = (number - 1) * PAGE_SIZE + 1
    return {
        "current_page": spelling.number(number),
        "from": spelling.number(first) if rows else None,
        "to": spelling.number(first + rows - 1) if rows else None,
        "last_page": spelling.number(last),
        "path": call.url,
        "per_page": spelling.number(PAGE_SIZE),
        "total": spelling.number(total),
    }
