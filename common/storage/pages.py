"""Pages that runs have saved, as rows."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import Insert, insert

from common.domain.entities import EntityKey
from common.domain.pages import SeenPage, SeenPages, Showing, showings
from common.domain.stores import PageToSave
from common.storage.engine import reading
from common.storage.page_tables import pages
from common.storage.tables import runs

NAMES = tuple(each.name for each in fields(SeenPage))
KEY = (pages.c.customer_id, pages.c.resource, pages.c.digest)
#: Rows that go in one transaction where all of a customer's go: a fraction of a second.
PORTION = 1_000


class PostgresPages:
    """Implements `common.domain.pages.PageHistory`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def seen(self, entity: EntityKey, *, newest: int) -> SeenPages:
        own = (pages.c.customer_id == entity.customer_id, pages.c.resource == entity.resource)
        shows = pages.c.source_ids.contains([entity.source_id])
        found = select(*(pages.c[name] for name in NAMES)).where(*own, shows)
        found = found.order_by(pages.c.seen_at.desc(), pages.c.number.desc()).limit(newest)
        counts = select(func.count().label("kept"), func.count().filter(shows).label("shown")).where(*own)
        begins = select(func.min(pages.c.first_seen_at)).where(pages.c.customer_id == entity.customer_id)
        with self._reads.connect() as connection:
            told = [SeenPage(**row) for row in connection.execute(found).mappings()]
            row = connection.execute(counts).one()
            begins_at = connection.execute(begins).scalar_one()
        return SeenPages(newest=told, left_out=max(row.shown - len(told), 0), kept=row.kept, begins_at=begins_at)

    def prune(self, before: datetime, *, at_most: int) -> int:
        return self._delete(pages.c.seen_at < before, at_most=at_most)

    def count(self, customer_id: str) -> int:
        query = select(func.count()).select_from(pages).where(pages.c.customer_id == customer_id)
        with self._reads.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def forget(self, customer_id: str) -> int:
        """A portion a transaction."""
        forgotten = 0
        while gone := self._delete(pages.c.customer_id == customer_id, at_most=PORTION):
            forgotten += gone
        return forgotten

    def _delete(self, which: ColumnElement[bool], *, at_most: int) -> int:
        old = select(*KEY).where(which).order_by(pages.c.seen_at).limit(at_most).with_for_update(skip_locked=True)
        with self._engine.begin() as connection:
            return connection.execute(delete(pages).where(tuple_(*KEY).in_(old))).rowcount


def record_page(connection: Connection, page: PageToSave) -> None:
    """In the page's own transaction, after its run has counted it: the count is the page's number."""
    rows = [_row(page, showing) for showing in showings(page)]
    if rows:
        connection.execute(INSERTION, rows)


def _insertion() -> Insert:
    """The values come as parameters: the statement is compiled once, and not for two milliseconds a page."""
    run = (runs.c.customer_id == bindparam("of_customer"), runs.c.run_id == bindparam("of_run"))
    statement = insert(pages).values(number=select(runs.c.pages).where(*run).scalar_subquery())
    newest = {name: statement.excluded[name] for name in ("run_id", "number", "seen_at")}
    return statement.on_conflict_do_update(index_elements=KEY, set_={**newest, "times": pages.c.times + 1})


INSERTION = _insertion()


def _row(page: PageToSave, showing: Showing) -> dict[str, Any]:
    return {
        "customer_id": page.customer_id,
        "resource": showing.resource,
        "digest": showing.digest,
        "run_id": page.run_id,
        "of_customer": page.customer_id,
        "of_run": page.run_id,
        "scan_pass": page.scan_pass,
        "origin": page.origin,
        "scope": page.scope,
        "address": showing.address,
        "first_seen_at": page.now,
        "seen_at": page.now,
        "source_ids": list(showing.source_ids),
    }
