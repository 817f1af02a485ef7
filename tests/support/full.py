"""A pretended source that is read by its time of change, with lies on demand, and full scans of it on twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from common.domain.events import Action
from common.domain.layers import Layer
from common.domain.records import Record
from common.domain.resources import USERS
from common.domain.runs import RunState
from common.domain.sources import Page, PageQuery, ResourceTerms, Style
from poller import runs
from poller.detectors.full import Full
from support.builders import NOW, a_record
from support.recording import PollerRig

#: Between two scans that count; as in the rig.
APART = timedelta(minutes=5).total_seconds()
#: Slices of one scan; one that takes more does not end.
SLICES = 200


@dataclass
class Account:
    """Users in the order of their ids. `lie` gets each page of the list before it is given; `one` each look."""

    page_size: int = 3
    rows: dict[str, str] = field(default_factory=dict)
    lie: Callable[[PageQuery, Page], Page] = lambda _, page: page
    one: Callable[[str, Page], Page] = lambda _, page: page
    between: Callable[[], object] = lambda: None
    queries: list[PageQuery] = field(default_factory=list)
    #: Whether it shows one record by its id.
    has_details: bool = True
    resources = (USERS,)

    @property
    def terms(self) -> dict[str, ResourceTerms]:
        return {USERS: ResourceTerms(style=Style.MODIFIED, one="user" if self.has_details else "")}

    @property
    def looks(self) -> list[str]:
        return [query.scope.partition("/")[2] for query in self.queries if query.scope]

    def put(self, *source_ids: str, name: str = "name") -> None:
        self.rows.update(dict.fromkeys(source_ids, name))

    def shown(self, source_id: str) -> Record:
        return a_record(source_id, at=NOW, last_name=self.rows[source_id])

    def page(self, query: PageQuery) -> Page:
        self.queries.append(query)
        self.between()
        if query.scope:
            source_id = query.scope.partition("/")[2]
            is_gone = source_id not in self.rows
            page = Page(records=(), broken=(), next_page=None, total=0 if is_gone else 1, answered_at=None)
            return self.one(source_id, replace(page, is_gone=is_gone))
        found, start = sorted(self.rows), int(query.next_page or 0)
        end = start + self.page_size
        page = Page(
            records=[self.shown(each) for each in found[start:end]], broken=[], total=len(found), answered_at=None,
            next_page=str(end) if end < len(found) else None,
        )  # fmt: skip
        return self.lie(query, page)


class FullRig(PollerRig):
    """Polls once, then makes full scans."""

    def __init__(self, source: Account, **changes: Any) -> None:
        super().__init__(source, **{"full": Full(passes=3, absence=timedelta(minutes=5)), **changes})
        self.run()

    def scan(self, *, after_seconds: float = APART, between: Callable[[], object] = lambda: None) -> RunState:
        """Slices until the scan is over, each at its time."""
        self.clock.advance(after_seconds)
        for _ in range(SLICES):
            state = runs.run(self.parts, self.customers.get("acme"), USERS, Layer.FULL)
            if state not in (None, RunState.CONTINUED):
                return RunState(state)
            between()
            row = self.tables.rows.checkpoints["acme", USERS, Layer.FULL]
            self.clock.advance(max(0.0, (row.continue_at - self.clock.now()).total_seconds()))
        raise AssertionError("the scan does not end")

    @property
    def there(self) -> set[str]:
        return {entity.source_id for entity, row in self.tables.mirror.items() if row.deleted_at is None}

    @property
    def deleted(self) -> list[str]:
        """In the order of their events."""
        return [event.entity.source_id for event in self.tables.events if event.action == Action.DELETE]

    @property
    def held(self) -> set[str]:
        return {entity.source_id for entity, row in self.tables.rows.deletions.items() if row.state == "held"}

    @property
    def report(self) -> Any:
        return [each for each in self.tables.runs if each.origin == "full"][-1]
