"""The envelopes of VOMO's answers: a list of 15, or one object with lists inside (facts: volunteer-api 1.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.domain.errors import PageUnreadable
from common.domain.sources import PageQuery
from poller.sources.volunteer.scopes import Scope
from poller.sources.volunteer.settings import VolunteerSettings
from poller.sources.volunteer.translate.fields import NULL
from poller.sources.volunteer.translate.numbers import spelled_id

#: What `str.isdigit` is too generous for: it takes superscripts, which `int` does not.
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An answer's body, and what it answers."""

    customer_id: str
    settings: VolunteerSettings
    query: PageQuery
    #: Template of the path, for messages.
    route: str
    body: Any
    date: datetime | None

    @property
    def scope(self) -> Scope:
        return Scope.read(self.query.scope)

    @property
    def answered_at(self) -> datetime:
        """The time of what has none of its own. Raises PageUnreadable if the answer does not say when it was made."""
        if self.date is None:
            raise self.unreadable("the answer has no Date header, and its records have no time of their own")
        return self.date

    def unreadable(self, why: str) -> PageUnreadable:
        return PageUnreadable(f"customer {self.customer_id}: volunteer: GET {self.route}: {why}")

    def items(self) -> list[Any]:
        """Of a list. Raises PageUnreadable."""
        found = self.body.get("data") if isinstance(self.body, Mapping) else None
        if not isinstance(found, list):
            raise self.unreadable("not a page (`data` is missing)")
        return found

    def detail(self) -> Mapping[str, Any]:
        """The object that was asked for, wrapped or bare. Raises PageUnreadable, also for any other object: what is
        missing from a wrong answer must not count as gone.
        """
        body = self.body if isinstance(self.body, Mapping) else {}
        found = body.get("data", body)
        if not isinstance(found, Mapping):
            raise self.unreadable("not an object (`data` is of another kind)")
        if spelled_id(str(found.get("id")).strip()) != self.scope.source_id:
            raise self.unreadable("not the object that was asked for (`id` is missing or another)")
        return found

    def next_page(self) -> str | None:
        """The end is null in the guide and the string "null" in the reference: both are the end."""
        links = self.body.get("links")
        value = links.get("next") if isinstance(links, Mapping) else None
        return value if isinstance(value, str) and value not in ("", NULL) else None

    def total(self) -> int | None:
        """`meta.total` comes as a number or as digits in a string."""
        meta = self.body.get("meta")
        text = str(meta.get("total") if isinstance(meta, Mapping) else None)
        return int(text) if WHOLE_NUMBER.fullmatch(text) else None
