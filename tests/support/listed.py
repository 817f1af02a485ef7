"""Many contacts that are in step: rows made by SQL, and a destination that is a double at the seam of `Lists`.

What the double lists is reckoned from the numbers of its rows, so that the time goes into the product's own part. Over
the real API the same is tested with few records.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from common.domain.clock import ManualClock
from common.domain.listings import Listed, Listing
from common.domain.mapping import read_mapping
from common.domain.writes import Found
from common.storage.customers import PostgresCustomerStore
from common.storage.delivery import PostgresDeliveryStore
from common.storage.verified import PostgresVerified
from processor.verifying.checking import Checking
from processor.verifying.reading import ReadParts
from support.builders import NOW, a_customer

PAGE_ROWS, ROWS_BY_ID = 1000, 100
#: Destination ids are source ids and this.
BASE = 10_000_000
MIRROR = """
INSERT INTO mirror
  (customer_id, resource, source_id, version, source_updated_at, content_hash, body, raw, scan_id, seen_at)
SELECT :customer_id, 'users', n::text, 1, :at, md5(n::text),
       jsonb_build_object('first_name', 'P' || n, 'last_name', 'Q', 'email', n || '@example.org'), '{}', 's', :at
FROM generate_series(1, :count) n
"""
LINKS = """
INSERT INTO links (customer_id, resource, source_id, destination_id, details, applied_version, created_at, updated_at)
SELECT :customer_id, 'users', n::text, (n + :base)::text, '{}', 1, :at, :at FROM generate_series(1, :count) n
"""


class ListingDouble:
    """A destination that holds everybody as mapped, but for whom it was told."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.requests = 0
        self.visibility_seconds = 0.0
        #: Source numbers of contacts that staff have changed since the last check.
        self.tampered: frozenset[int] = frozenset()
        #: When, as it says; None: after whatever moment it is asked about.
        self.modified_at: datetime | None = None
        #: Of those that it does not show, whatever it is asked.
        self.hidden: frozenset[int] = frozenset()

    def is_kept(self, _resource):
        return True

    def listing(self, _resource):
        return Listing(page_rows=PAGE_ROWS, rows_by_id=ROWS_BY_ID, takes_since=True)

    def list_page(self, query):
        self.requests += 1
        after = int(query.after or BASE) - BASE
        if query.modified_since is None:
            numbers, last = range(after + 1, min(after + PAGE_ROWS, self.count) + 1), self.count
        else:
            is_late = self.modified_at is None or self.modified_at >= query.modified_since
            modified = sorted(self.tampered) if is_late else []
            numbers, last = [n for n in modified if n > after][:PAGE_ROWS], max(modified, default=0)
        is_end = not numbers or numbers[-1] == last
        shown = [self._found(n) for n in numbers if n not in self.hidden]
        return Listed(found=shown, after=None if is_end else str(numbers[-1] + BASE))

    def list_count(self, _resource, _up_to):
        self.requests += 1
        return self.count

    def read_back(self, _resource, destination_ids):
        self.requests += -(-len(destination_ids) // ROWS_BY_ID)
        return {each: self._found(int(each) - BASE) for each in destination_ids if int(each) - BASE not in self.hidden}

    def claimed(self, _resource, found):
        return [str(int(found.destination_id) - BASE)]

    def disagreements(self, write, found):
        there = found.current["firstName"]
        return {} if write.desired.first_name == there else {"firstName": there}

    def _found(self, number):
        name = "Tampered" if number in self.tampered else f"P{number}"
        return Found(destination_id=str(number + BASE), details={}, current={"firstName": name})


def many_in_step(engine: Engine, count: int) -> tuple[Checking, ListingDouble, PostgresVerified]:
    """On an empty database: customer `acme` with so many users."""
    fill_in_step(engine, count)
    return checking_of(engine, count)


def fill_in_step(engine: Engine, count: int, customer_id: str = "acme") -> None:
    PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))
    with engine.begin() as connection:
        for statement in (MIRROR, LINKS):
            values = {"customer_id": customer_id, "at": NOW - timedelta(days=1), "count": count, "base": BASE}
            connection.execute(text(statement), values)
        connection.execute(text("ANALYZE mirror, links"))


def checking_of(
    engine: Engine, count: int, customer_id: str = "acme", clock: ManualClock | None = None
) -> tuple[Checking, ListingDouble, PostgresVerified]:
    clock, double = clock or ManualClock(), ListingDouble(count)
    parts = ReadParts(
        destination=double, store=PostgresVerified(engine), mapping=read_mapping(customer_id, {}), clock=clock,
        links=PostgresDeliveryStore(engine).links, watch=lambda ask: ask(), tell=lambda *_: None,
    )  # fmt: skip
    return Checking(parts, customer_id), double, parts.store
