"""Reads that a write hangs on: whole lists, and what fails before anything was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from common.domain.errors import PageUnreadable, SystemUnavailable, UnknownOutcome
from common.http.client import ApiClient
from processor.destinations.crm_plus.contact import rows

#: Most a list gives at once (facts: crm-api 1.3).
PAGE_ROWS = 1000
NOT_FOUND = 404

Row = Mapping[str, Any]


def every_row(
    api: ApiClient, route: str, *, names: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> list[Row]:
    """All pages of a list. Raises PageUnreadable for a page that lacks any: what is missing would be written twice."""
    found: list[Row] = []
    total = 1
    while len(found) < total:
        page = {**(query or {}), "skip": str(len(found)), "take": str(PAGE_ROWS)}
        answer = api.read(route, names=names, query=page).json()
        own, total = whole_page(answer, route, len(found))
        found += own
    return found


def whole_page(answer: Any, route: str, skipped: int) -> tuple[list[Row], int]:
    """Rows and total. Raises PageUnreadable."""
    said = str(answer.get("total")) if isinstance(answer, Mapping) else ""
    own = list(rows(answer))
    if not said.isdecimal() or len(own) < min(PAGE_ROWS, int(said) - skipped):
        raise PageUnreadable(f"crm_plus: {route}: the answer is not a whole page")
    return own, int(said)


def one_row(answer: Any, where: str) -> Row:
    """The record in an answer. A create whose answer cannot be read has happened all the same."""
    if isinstance(answer, Mapping) and answer.get("id") is not None:
        return answer
    error = UnknownOutcome if where.startswith("POST") else PageUnreadable
    raise error(f"crm_plus: {where}: the answer is no record")


@contextmanager
def nothing_sent() -> Iterator[None]:
    """Around the reads before a write: whatever fails in them, nothing can have landed, so nobody needs to look."""
    try:
        yield
    except (SystemUnavailable, UnknownOutcome, PageUnreadable) as error:
        if isinstance(error, SystemUnavailable) and not error.sent:
            raise
        raise SystemUnavailable(str(error), sent=False, detail=error.detail, status=error.status) from error
