"""The source beside the mirror, without a word to the mirror: what differs is told, and mended by a reconcile.

Cheap: the list's own total, and what was modified since the checkpoint of the last sealed scan. Whole: every page, and
what is gone counts only if the pages, their total and their ids agree, as for a full scan. What is read scope by scope
is compared each time it is read anyway, and has no list to count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from common.domain.checkpoints import first_progress
from common.domain.drift import AtSource
from common.domain.layers import Layer
from common.domain.sources import Page, PageQuery, Source, Style
from common.domain.verifying import SourceView
from common.storage.items import Item, of_broken, of_record
from common.storage.verified import PostgresVerified
from poller.detectors.full import Full

#: Of the checkpoint: commits of the source that came late.
OVERLAP = timedelta(minutes=2)
NOT_LISTED = SourceView(how="read scope by scope, so that it has no list to compare")


@dataclass(frozen=True, kw_only=True)
class CompareParts:
    """What comparing takes."""

    source: Source
    store: PostgresVerified
    now: Callable[[], datetime]
    #: Every request goes through it: the customer's breaker.
    watch: Callable[[Callable[[], Page]], Page]


def compare(parts: CompareParts, customer_id: str, resource: str, *, full: bool) -> SourceView:
    """Raises what the source raises."""
    terms = parts.source.terms.get(resource)
    if terms is None or terms.style is not Style.MODIFIED:
        return NOT_LISTED
    return _whole(parts, customer_id, resource) if full else _since(parts, customer_id, resource)


def _since(parts: CompareParts, customer_id: str, resource: str) -> SourceView:
    total = _page(parts, PageQuery(resource=resource)).total
    position = parts.store.position(customer_id, resource)
    if position is None:
        return SourceView(total=total, how="its total; it was never read to the end")
    since = position - OVERLAP
    query = PageQuery(resource=resource, updated_after=since)
    found: dict[str, AtSource] = {}
    for page in _pages(parts, query):
        found |= _unlike(parts.store, customer_id, resource, _items(page, resource))
    how = f"its total, and what was modified since {_told(position)}"
    return SourceView(total=total, how=how, since=since, differing=found)


def _whole(parts: CompareParts, customer_id: str, resource: str) -> SourceView:
    """As a full scan reads, and seals."""
    full, found, ids = Full(), dict[str, AtSource](), set[str]()
    progress = first_progress(Layer.FULL, None, run_id="verify", trace_id="", now=parts.now())
    progress = full.begin(progress, parts.now())
    while True:
        page = _page(parts, full.query(resource, progress))
        progress = full.after_page(progress, page)
        items = _items(page, resource)
        ids |= {item.source_id for item in items}
        found |= _unlike(parts.store, customer_id, resource, items)
        if progress.next_page is None:
            break
    if not full.is_sealed(progress, len(ids)) or full.why_no_evidence(progress):
        return SourceView(total=progress.total, how="all, but its pages do not agree: nothing is said to be gone",
                          differing=found)  # fmt: skip
    gone = _gone(parts.store, customer_id, resource, ids)
    return SourceView(total=progress.total, how="all", differing={**found, **gone})


def _pages(parts: CompareParts, query: PageQuery) -> Iterator[Page]:
    """To the end, or to where the list shows more than it says it has."""
    shown, total, page = 0, 0, _page(parts, query)
    while True:
        yield page
        shown, total = shown + page.item_count, max(total, page.total or 0)
        if page.next_page is None or not page.item_count or shown > total:
            return
        page = _page(parts, replace(query, next_page=page.next_page))


def _page(parts: CompareParts, query: PageQuery) -> Page:
    return parts.watch(partial(parts.source.page, query))


def _items(page: Page, resource: str) -> Sequence[Item]:
    items = [*map(of_record, page.records), *map(of_broken, page.broken)]
    resources = [*(each.resource for each in page.records), *(each.resource for each in page.broken)]
    return [item for item, own in zip(items, resources, strict=True) if own == resource]


def _unlike(store: PostgresVerified, customer_id: str, resource: str, items: Sequence[Item]) -> Mapping[str, AtSource]:
    known = store.mirrored(customer_id, resource, [item.source_id for item in items])
    return {
        item.source_id: AtSource.OTHER if item.source_id in known else AtSource.NEW
        for item in items
        if known.get(item.source_id) != item.content_hash
    }


def _gone(store: PostgresVerified, customer_id: str, resource: str, ids: set[str]) -> Mapping[str, AtSource]:
    with store.records(customer_id, resource) as records:
        live = (record.entity.source_id for record in records.each() if not record.is_gone)
        return {source_id: AtSource.GONE for source_id in live if source_id not in ids}


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
