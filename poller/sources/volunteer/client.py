"""One page of a VOMO list, in one request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.customers import Customer
from common.domain.errors import PageUnreadable, RecordInvalid
from common.domain.records import BrokenRecord, Record, content_hash, storable
from common.domain.resources import USERS
from common.domain.sources import Page, PageQuery, ResourceTerms, Style
from common.http.client import ApiClient
from poller.sources.volunteer import translate

#: What `str.isdigit` is too generous for: it takes superscripts, which `int` does not.
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
#: How each resource is listed and its items are read.
ROUTES: Mapping[str, str] = {USERS: "/users"}
TRANSLATORS: Mapping[str, Callable[[Any, str], Record]] = {USERS: translate.user}


class VolunteerSource:
    """Implements `common.domain.sources.Source` for one customer's token."""

    resources: Sequence[str] = tuple(ROUTES)
    terms: Mapping[str, ResourceTerms] = {USERS: ResourceTerms(style=Style.MODIFIED)}

    def __init__(self, api: ApiClient, customer: Customer) -> None:
        self._api = api
        self._customer_id = customer.customer_id

    def page(self, query: PageQuery) -> Page:
        """Raises PageUnreadable if the answer is not a page; an item that cannot be read is in `broken`."""
        route = ROUTES[query.resource]
        answer = self._api.read(route, query=_filters(query), url=query.next_page)
        body = answer.json()
        items = body.get("data") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise PageUnreadable(
                f"customer {self._customer_id}: volunteer: GET {route}: not a page (`data` is missing)"
            )
        records, broken = self._translate(query.resource, items)
        return Page(
            records=records,
            broken=broken,
            next_page=_next_page(body),
            total=_total(body),
            answered_at=answer.date,
        )

    def due_at(
        self, resource: str, scope: str, parent: Mapping[str, Any], *, read_at: datetime | None, now: datetime
    ) -> datetime | None:
        del scope, parent, read_at, now
        raise KeyError(resource)  # nothing is read scope by scope yet

    def _translate(self, resource: str, items: list[Any]) -> tuple[list[Record], list[BrokenRecord]]:
        records: list[Record] = []
        broken: list[BrokenRecord] = []
        for item in storable(items):
            try:
                records.append(TRANSLATORS[resource](item, self._customer_id))
            except RecordInvalid as error:
                broken.append(_broken(resource, item, error))
        return records, broken


def _filters(query: PageQuery) -> Mapping[str, str] | None:
    """None when following a link: it carries its filters already."""
    if query.next_page is not None:
        return None
    bounds = {"updated_after": query.updated_after, "updated_before": query.updated_before}
    return {name: _spelled(moment) for name, moment in bounds.items() if moment is not None}


def _spelled(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _next_page(body: Mapping[str, Any]) -> str | None:
    """The end is null in the guide and the string "null" in the reference: both are the end."""
    links = body.get("links")
    value = links.get("next") if isinstance(links, Mapping) else None
    return value if isinstance(value, str) and value not in ("", "null") else None


def _total(body: Mapping[str, Any]) -> int | None:
    """`meta.total` comes as a number or as digits in a string."""
    meta = body.get("meta")
    value = meta.get("total") if isinstance(meta, Mapping) else None
    text = str(value)
    return int(text) if WHOLE_NUMBER.fullmatch(text) else None


def _broken(resource: str, item: Any, error: RecordInvalid) -> BrokenRecord:
    raw_id = item.get("id") if isinstance(item, Mapping) else None
    known = isinstance(raw_id, str | int) and not isinstance(raw_id, bool) and str(raw_id).strip()
    return BrokenRecord(
        resource=resource,
        source_id=str(raw_id).strip() if known else "unreadable-" + content_hash({"raw": item}),
        reason=error.reason,
        field=error.field,
        message=str(error),
        raw=item,
    )
