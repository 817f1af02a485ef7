"""A pretended source: a list that is paged while its records change, stamped in whole seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.domain.records import Record
from common.domain.resources import USERS
from common.domain.sources import Page, PageQuery, ResourceTerms, Style
from support.builders import NOW, a_record


@dataclass
class Listing:
    """Rows in the order of their names, as VOMO lists them. `between` is called before each page is answered."""

    page_size: int = 3
    clock: datetime = NOW
    rows: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    between: Callable[[], object] = lambda: None
    queries: list[PageQuery] = field(default_factory=list)
    #: Raised, one for each request, before anything is answered; None: answer.
    errors: list[Exception | None] = field(default_factory=list)
    tells_total: bool = True
    tells_clock: bool = True
    #: Ids that a page leaves out although its total counts them.
    hidden: set[str] = field(default_factory=set)

    resources = (USERS,)
    terms: Mapping[str, ResourceTerms] = field(default_factory=lambda: {USERS: ResourceTerms(style=Style.MODIFIED)})

    def put(self, source_id: str, name: str, *, at: datetime | None = None) -> None:
        """Create or edit; stamps with the listing's own second."""
        self.rows[source_id] = (name, at or self.clock.replace(microsecond=0))

    def rename_silently(self, source_id: str, name: str) -> None:
        """Moves in the list without a new stamp."""
        self.rows[source_id] = (name, self.rows[source_id][1])

    def delete(self, source_id: str) -> None:
        self.rows.pop(source_id, None)

    def advance(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    def page(self, query: PageQuery) -> Page:
        self.queries.append(query)
        self.between()
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        after, before, number = self._address(query)
        found = self._matching(after, before)
        start = (number - 1) * self.page_size
        shown = [source_id for source_id in found[start : start + self.page_size] if source_id not in self.hidden]
        following = f"{_text(after)}|{_text(before)}|{number + 1}" if start + self.page_size < len(found) else None
        return Page(
            records=[self._record(source_id) for source_id in shown],
            broken=[],
            next_page=following,
            total=len(found) if self.tells_total else None,
            answered_at=self.clock.replace(microsecond=0) if self.tells_clock else None,
        )

    def _address(self, query: PageQuery) -> tuple[datetime | None, datetime | None, int]:
        if query.next_page is None:
            return query.updated_after, query.updated_before, 1
        after, before, number = query.next_page.split("|")
        return _moment(after), _moment(before), int(number)

    def _matching(self, after: datetime | None, before: datetime | None) -> list[str]:
        """Both bounds are inclusive, and cut to whole seconds."""
        return sorted(
            (
                source_id
                for source_id, (_, at) in self.rows.items()
                if (after is None or at >= after.replace(microsecond=0))
                and (before is None or at <= before.replace(microsecond=0))
            ),
            key=lambda source_id: (self.rows[source_id][0], source_id),
        )

    def _record(self, source_id: str) -> Record:
        name, at = self.rows[source_id]
        return a_record(source_id, at=at, last_name=name)


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
