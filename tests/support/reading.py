"""Reads an account through a source the way a poll may: lists, then scope by scope what hangs on their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.domain.records import BrokenRecord, Record
from common.domain.sources import WHOLE, Page, PageQuery, Source, Style


@dataclass
class Reading:
    """Everything one pass over an account has shown."""

    source: Source
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    broken: list[BrokenRecord] = field(default_factory=list)
    #: Pages by (resource, scope).
    pages: dict[tuple[str, str], list[Page]] = field(default_factory=dict)

    def everything(self) -> Reading:
        for resource in self.source.resources:
            for scope, parent in list(self.scopes(resource)):
                self.scope(resource, scope, parent)
        return self

    def scopes(self, resource: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """With the body of each one's parent, of what has been read so far."""
        terms = self.source.terms[resource]
        yield from ((root, {}) for root in ((WHOLE,) if terms.style is not Style.SCOPED else terms.roots))
        for parent, kind in terms.parents.items():
            yield from ((f"{kind}/{key[1]}", each.body) for key, each in self.records.items() if key[0] == parent)

    def scope(
        self, resource: str, scope: str = WHOLE, parent: Mapping[str, Any] | None = None, **bounds: Any
    ) -> list[Page]:
        """All pages of one scope."""
        query = {"resource": resource, "scope": scope, "parent": parent or {}}
        pages = [self.source.page(PageQuery(**query, **bounds))]
        while pages[-1].next_page is not None:
            pages.append(self.source.page(PageQuery(**query, next_page=pages[-1].next_page)))
        for page in pages:
            self.records |= {(record.resource, record.source_id): record for record in page.records}
            self.broken += page.broken
        self.pages[resource, scope] = pages
        return pages

    def of(self, resource: str) -> dict[str, Mapping[str, Any]]:
        """Bodies by source id."""
        return {key[1]: record.body for key, record in self.records.items() if key[0] == resource}
