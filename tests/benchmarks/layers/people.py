"""A pretended source with people by the million: it holds none of them, and makes each page as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from common.domain.people import Person
from common.domain.records import Record
from common.domain.resources import USERS
from common.domain.sources import Page, PageQuery, ResourceTerms, Style

#: When nearly everybody changed last, and when the changed ones did.
LONG_AGO, LATELY = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
#: One in so many is changed (1 %), and one in so many is gone (0.1 %).
CHANGED, GONE = 100, 1000
#: Which of a thousand is gone: none of those that change.
GONE_ONE = 7


@dataclass(frozen=True, kw_only=True)
class People:
    """Implements `common.domain.sources.Source`."""

    count: int
    page_size: int
    #: Each hundredth one has another name than at the first load, and a later time.
    is_changed: bool = False
    #: Each thousandth one is not there.
    is_shrunk: bool = False

    resources: ClassVar[tuple[str, ...]] = (USERS,)
    terms: ClassVar[Mapping[str, ResourceTerms]] = {USERS: ResourceTerms(style=Style.MODIFIED, one="user")}

    def page(self, query: PageQuery) -> Page:
        """With a lower bound only the changed ones are listed, in the same order."""
        if query.scope:
            return self._one(int(query.scope.partition("/")[2]))
        start, step = self._place(query)
        end = start + self.page_size * step
        numbers = range(start, min(end, self.count), step)
        return Page(
            records=[self._record(number) for number in numbers if self._is_there(number)], broken=(),
            next_page=f"{end}/{step}" if end < self.count else None, total=self._total(step), answered_at=None,
        )  # fmt: skip

    def due_at(self, *_: Any, **__: Any) -> None:
        """Nothing is read scope by scope."""

    @staticmethod
    def _place(query: PageQuery) -> tuple[int, int]:
        if query.next_page is not None:
            start, step = query.next_page.split("/")
            return int(start), int(step)
        return 0, 1 if query.updated_after is None else CHANGED

    def _one(self, number: int) -> Page:
        is_there = self._is_there(number)
        return Page(records=(), broken=(), next_page=None, total=int(is_there), answered_at=None, is_gone=not is_there)

    def _is_there(self, number: int) -> bool:
        return not (self.is_shrunk and number % GONE == GONE_ONE)

    def _total(self, step: int) -> int:
        listed = len(range(0, self.count, step))
        return listed - len(range(GONE_ONE, self.count, GONE)) if self.is_shrunk and step == 1 else listed

    def _record(self, number: int) -> Record:
        is_new = self.is_changed and number % CHANGED == 0
        person = Person(
            first_name="Fenmar", last_name=f"Quonox {number}{' the second' if is_new else ''}",
            email=f"p{number}@example.org", phone="+1 555 010 0000", address="1 Example Road, Springfield",
            birthday="1990-01-01", membership_status="active", membership_role="member",
        )  # fmt: skip
        body = person.to_body()
        at = LATELY if is_new else LONG_AGO
        raw = {"id": number, **body, "updated_at": at.isoformat()}
        return Record(resource=USERS, source_id=f"{number:07}", updated_at=at, body=body, raw=raw)
