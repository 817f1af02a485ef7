"""A mirror of a million records, put straight into the table: as the first load would have left it, in a minute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from benchmarks.fleet.printing import progress
from benchmarks.layers.people import People
from common.domain.resources import USERS
from common.domain.sources import PageQuery

COLUMNS = (
    "customer_id", "resource", "source_id", "version", "source_updated_at", "content_hash", "body", "raw", "scan_id",
    "seen_at",
)  # fmt: skip


def fill(engine: Engine, customer_id: str, people: People) -> None:
    """By COPY. No event comes with it: nothing of what is measured reads them."""
    progress(f"filling the mirror with {people.count:,} records")
    statement = f"COPY mirror ({', '.join(COLUMNS)}) FROM STDIN"
    with engine.begin() as connection, connection.connection.cursor() as own, own.copy(statement) as copy:
        for row in _rows(customer_id, people):
            copy.write_row(row)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE mirror"))


def _rows(customer_id: str, people: People) -> Iterator[tuple[object, ...]]:
    query, now = PageQuery(resource=USERS), datetime.now(UTC)
    while True:
        page = people.page(query)
        for each in page.records:
            yield (
                customer_id, USERS, each.source_id, 1, each.updated_at, each.content_hash, json.dumps(each.body),
                json.dumps(each.raw), "", now,
            )  # fmt: skip
        if page.next_page is None:
            return
        query = PageQuery(resource=USERS, next_page=page.next_page)
