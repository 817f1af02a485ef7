"""All that is kept of one entity, for `fleet explain`: rows as they are, to be told in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Table, func, select, union

from common.domain.attempts import Attempt
from common.domain.entities import EntityKey
from common.domain.pages import SeenPages
from common.storage.attempts import PostgresAttempts
from common.storage.deletion_tables import deletions
from common.storage.engine import reading
from common.storage.identity_tables import reviews
from common.storage.pages import PostgresPages
from common.storage.tables import dead_letters, events, links, mirror, runs, writes

Row: TypeAlias = Mapping[str, Any]
#: Most entities named where an id is not known, or means several.
MOST_NAMED = 10
#: Most pages that a record's story names: a week of polls shows what changes often on hundreds.
MOST_PAGES = 20


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is kept of one entity. Events, payloads and mirror hold personal data."""

    entity: EntityKey
    mirror: Row | None
    #: The newest ones, oldest first.
    events: Sequence[Row]
    #: Older events that were left out.
    left_out: int
    attempts: Mapping[int, Sequence[Attempt]]
    writes: Sequence[Row]
    letters: Sequence[Row]
    runs: Sequence[Row]
    link: Row | None
    review: Row | None
    deletion: Row | None
    pages: SeenPages = field(default_factory=SeenPages)

    @property
    def is_empty(self) -> bool:
        found = (self.mirror, self.events, self.link, self.letters, self.review, self.deletion, self.pages.newest)
        return not any(found)


class PostgresStories:
    """Reads that an operator asks for; none of them is part of any work."""

    def __init__(self, engine: Engine) -> None:
        self._reads = reading(engine)
        self._attempts = PostgresAttempts(engine)
        self._pages = PostgresPages(engine)

    def of(self, entity: EntityKey, *, limit: int) -> Story:
        """Of at most so many events, the newest, and of MOST_PAGES pages."""
        with self._reads.connect() as connection:
            found = _events(connection, entity, limit)
            ids = [row["event_id"] for row in found]
            count = select(func.count()).select_from(events).where(*_own(events, entity))
            return Story(
                entity=entity,
                mirror=_one(connection, mirror, entity),
                events=found,
                left_out=int(connection.execute(count).scalar_one()) - len(found),
                attempts=self._attempts.attempts_of(entity.customer_id, ids),
                writes=_of_events(connection, writes, entity.customer_id, ids, "started_at"),
                letters=_of_events(connection, dead_letters, entity.customer_id, ids, "created_at"),
                runs=_runs(connection, entity.customer_id, {row["run_id"] for row in found}),
                link=_one(connection, links, entity),
                review=_one(connection, reviews, entity),
                deletion=_one(connection, deletions, entity),
                pages=self._pages.seen(entity, newest=MOST_PAGES),
            )

    def near(self, customer_id: str, source_id: str) -> Sequence[str]:
        """`RESOURCE/ID` of what else has this id, there or at the destination."""
        named = [
            select(table.c.resource, table.c.source_id).where(
                table.c.customer_id == customer_id, table.c.source_id == source_id
            )
            for table in (mirror, events, links)
        ]
        there = select(links.c.resource, links.c.source_id)
        there = there.where(links.c.customer_id == customer_id, links.c.destination_id == source_id)
        with self._reads.connect() as connection:
            rows = connection.execute(union(*named, there).limit(MOST_NAMED)).all()
        return sorted(f"{row.resource}/{row.source_id}" for row in rows)

    def linked_to(self, customer_id: str, resource: str, destination_id: str) -> Sequence[str]:
        """Source ids of what is linked to a record of the destination."""
        query = select(links.c.source_id).filter_by(
            customer_id=customer_id, resource=resource, destination_id=destination_id
        )
        with self._reads.connect() as connection:
            return list(connection.execute(query.order_by(links.c.source_id).limit(MOST_NAMED)).scalars())


def _own(table: Table, entity: EntityKey) -> tuple[Any, ...]:
    keys = {"customer_id": entity.customer_id, "resource": entity.resource, "source_id": entity.source_id}
    return tuple(table.c[name] == value for name, value in keys.items())


def _one(connection: Connection, table: Table, entity: EntityKey) -> Row | None:
    row = connection.execute(select(table).where(*_own(table, entity))).mappings().one_or_none()
    return None if row is None else dict(row)


def _events(connection: Connection, entity: EntityKey, limit: int) -> list[Row]:
    query = select(events).where(*_own(events, entity)).order_by(events.c.version.desc()).limit(limit)
    return [dict(row) for row in reversed(connection.execute(query).mappings().all())]


def _of_events(
    connection: Connection, table: Table, customer_id: str, event_ids: Sequence[int], order: str
) -> list[Row]:
    own = (table.c.customer_id == customer_id, table.c.event_id.in_(event_ids))
    return [dict(row) for row in connection.execute(select(table).where(*own).order_by(table.c[order])).mappings()]


def _runs(connection: Connection, customer_id: str, run_ids: set[str]) -> list[Row]:
    query = select(runs).where(runs.c.customer_id == customer_id, runs.c.run_id.in_(run_ids))
    return [dict(row) for row in connection.execute(query.order_by(runs.c.started_at)).mappings()]
