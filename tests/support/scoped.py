"""A pretended source that is read scope by scope: groups, and the members of each, in pages, with lies on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from common.domain.records import Record
from common.domain.resources import FORM_COMPLETIONS, GROUP_MEMBERS, GROUPS
from common.domain.sources import WHOLE, DueScope, Page, PageQuery, ResourceTerms, Style
from support.builders import NOW

#: A root beside the scopes of the groups.
STAFF = "staff"
TERMS = {
    GROUPS: ResourceTerms(style=Style.SCOPED, roots=(WHOLE,)),
    GROUP_MEMBERS: ResourceTerms(style=Style.SCOPED, roots=(STAFF,), parents={GROUPS: "group"}),
    FORM_COMPLETIONS: ResourceTerms(style=Style.SCOPED, roots=(WHOLE,), takes_since=True),
}


@dataclass
class ScopedSource:
    """What is there is in `rows`; what is told of it can be bent by `lie`, which gets each page before it is given."""

    page_size: int = 2
    #: Resource and scope -> source id -> (name, when it changed).
    rows: dict[tuple[str, str], dict[str, tuple[str, datetime]]] = field(default_factory=dict)
    #: Seconds between two readings of a scope; None: never again.
    periods: dict[str, float | None] = field(default_factory=dict)
    #: Scopes that are history until they are read.
    history: set[str] = field(default_factory=set)
    #: Scopes that are not there (404).
    gone: set[str] = field(default_factory=set)
    #: Raised at each request for the scope while there are any.
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    #: Scopes that an answer for a scope shows to be worth reading.
    shows: dict[str, tuple[DueScope, ...]] = field(default_factory=dict)
    lie: Callable[[PageQuery, Page], Page] = lambda _, page: page
    between: Callable[[], object] = lambda: None
    queries: list[PageQuery] = field(default_factory=list)

    resources = tuple(TERMS)
    terms: Mapping[str, ResourceTerms] = field(default_factory=lambda: dict(TERMS))

    def put(self, resource: str, scope: str, *source_ids: str, name: str = "name", at: datetime = NOW) -> None:
        found = self.rows.setdefault((resource, scope), {})
        found.update(dict.fromkeys(source_ids, (name, at)))

    def group(self, group_id: str, *members: str) -> None:
        """A group, and who is in it."""
        self.put(GROUPS, WHOLE, group_id)
        self.put(GROUP_MEMBERS, f"group/{group_id}", *members)

    def take(self, resource: str, scope: str, source_id: str) -> None:
        del self.rows[resource, scope][source_id]

    @property
    def scopes_asked(self) -> list[str]:
        """Of each reading, in order: what follows a link is the same reading."""
        return [query.scope for query in self.queries if query.next_page is None]

    def due_at(
        self, _resource: str, scope: str, _parent: Mapping[str, Any], *, read_at: datetime | None, now: datetime
    ) -> datetime | None:
        if read_at is None:
            return now if scope in self.history else now - timedelta(days=1)
        period = self.periods.get(scope, 3600.0)
        return None if period is None else read_at + timedelta(seconds=period)

    def page(self, query: PageQuery) -> Page:
        self.queries.append(query)
        self.between()
        errors = self.errors.get(query.scope)
        if errors:
            raise errors.pop(0)
        if query.scope in self.gone:
            return Page(records=[], broken=[], next_page=None, total=None, answered_at=None, is_gone=True)
        return self.lie(query, self._honest(query))

    def _honest(self, query: PageQuery) -> Page:
        since, _, start_text = (query.next_page or "").rpartition("|")
        since = since or (query.updated_after.isoformat() if query.updated_after else "")
        rows, start = self.rows.get((query.resource, query.scope), {}), int(start_text or 0)
        found = sorted(each for each, (_, at) in rows.items() if not since or at >= datetime.fromisoformat(since))
        shown, following = found[start : start + self.page_size], start + self.page_size
        return Page(
            records=[a_named(query.resource, each, *rows[each]) for each in shown],
            broken=[],
            next_page=f"{since}|{following}" if following < len(found) else None,
            total=len(found),
            answered_at=None,
            shows_all=not since,
            due=self.shows.get(query.scope, ()),
        )


def a_named(resource: str, source_id: str, name: str = "name", at: datetime = NOW) -> Record:
    body = {"id": source_id, "name": name}
    return Record(resource=resource, source_id=source_id, updated_at=at, body=body, raw=body)
