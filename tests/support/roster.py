"""A pretended list of records by name that takes bounds on their created times, and changes while it is paged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from common.domain.records import Record
from common.domain.resources import USERS
from common.domain.sources import Page, PageQuery, ResourceTerms, Style
from support.builders import NOW, a_record


@dataclass
class Row:
    name: str
    #: None: it has none, and no filter shows it.
    created: datetime | None
    updated: datetime


@dataclass
class Roster:
    """`between` is called before each page is answered."""

    page_size: int = 15
    clock: datetime = NOW
    rows: dict[str, Row] = field(default_factory=dict)
    between: Callable[[], object] = lambda: None
    queries: list[PageQuery] = field(default_factory=list)
    errors: list[Exception | None] = field(default_factory=list)
    #: False: bounds shut out what lies on them.
    inclusive: bool = True
    #: False: a service that takes no notice of the filters.
    heeds: bool = True
    #: Gets each total before it is told.
    lie: Callable[[int], int] = lambda total: total
    #: The list leaves out these, although its total counts them.
    hidden: set[str] = field(default_factory=set)

    _addresses: dict[str, tuple[Any, int]] = field(default_factory=dict)
    resources = (USERS,)
    terms: Mapping[str, ResourceTerms] = field(
        default_factory=lambda: {USERS: ResourceTerms(style=Style.MODIFIED, by_created=True)}
    )

    def put(self, source_id: str, *, created: datetime | None, name: str = "") -> None:
        self.rows[source_id] = Row(name or f"name{source_id}", created, created or self.clock - timedelta(days=1))

    def edit(self, source_id: str, name: str) -> None:
        """Moves in the list."""
        row = self.rows[source_id]
        self.rows[source_id] = Row(name, row.created, self.clock.replace(microsecond=0))

    def create(self, source_id: str) -> None:
        self.put(source_id, created=self.clock.replace(microsecond=0))

    def page(self, query: PageQuery) -> Page:
        self.queries.append(query)
        self.between()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        bounds, number = self._address(query)
        found = self.found(bounds)
        end = number * self.page_size
        shown = [key for key in found[end - self.page_size : end] if key not in self.hidden]
        return Page(
            records=[self._record(key) for key in shown],
            broken=[],
            next_page=self._following(bounds, number + 1) if end < len(found) else None,
            total=self.lie(len(found)),
            answered_at=self.clock.replace(microsecond=0),
        )

    def found(self, bounds: Any) -> list[str]:
        """In the order of the list."""
        return sorted((key for key, row in self.rows.items() if self._fits(row, bounds)), key=self._place)

    def _following(self, bounds: Any, number: int) -> str:
        address = f"{bounds}/{number}"
        self._addresses[address] = bounds, number
        return address

    def _place(self, key: str) -> tuple[str, str]:
        return self.rows[key].name, key

    def _address(self, query: PageQuery) -> tuple[Any, int]:
        if query.next_page is not None:
            return self._addresses[query.next_page]
        return (query.updated_after, query.updated_before, query.created_after, query.created_before), 1

    def _fits(self, row: Row, bounds: Any) -> bool:
        if not self.heeds:
            return self._lies(row.updated, *bounds[:2])
        return self._lies(row.updated, *bounds[:2]) and self._lies(row.created, *bounds[2:])

    def _lies(self, at: datetime | None, after: datetime | None, before: datetime | None) -> bool:
        if after is None and before is None:
            return True
        if at is None:
            return False
        if self.inclusive:
            return (after is None or at >= after) and (before is None or at <= before)
        return (after is None or at > after) and (before is None or at < before)

    def _record(self, key: str) -> Record:
        row = self.rows[key]
        return a_record(key, at=row.updated, last_name=row.name)


class Busy:
    """Edits, deletes and creates by chance before each answer; `seconds` pass with each."""

    def __init__(
        self, roster: Roster, *, seed: float, edits: float = 0.3, deletions: float = 0.0, additions: float = 0.0,
        seconds: float = 1.0,
    ) -> None:  # fmt: skip
        self.roster, self.chance, self.seconds = roster, random.Random(seed), seconds
        self.edits, self.deletions, self.additions = edits, deletions, additions
        self.edited, self.added = 0, 0
        self.there_all_along = set(roster.rows)

    def __call__(self) -> None:
        roster, chance = self.roster, self.chance
        roster.clock += timedelta(seconds=self.seconds)
        if roster.rows and chance.random() < self.edits:
            self.edited += 1
            roster.edit(chance.choice(sorted(roster.rows)), f"name{chance.random()}")
        if roster.rows and chance.random() < self.deletions:
            gone = chance.choice(sorted(roster.rows))
            del roster.rows[gone]
            self.there_all_along.discard(gone)
        if chance.random() < self.additions:
            self.added += 1
            roster.create(f"new{self.added}")
