"""100,000 records: trees and views over PostgreSQL's rows, with one that is tampered with at the destination.

The rows are made by SQL, and the destination is a double at the seam of `Lists`: what it lists is made from the numbers
of its rows, so that the time goes into the product's part. Over the real API the same is tested with few records.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from support.builders import NOW, a_customer

from common.domain.clock import ManualClock
from common.domain.drift import Drift
from common.domain.listings import Listed, Listing
from common.domain.mapping import read_mapping
from common.domain.verifying import How, Outcome, SourceView
from common.domain.writes import Found
from common.storage.customers import PostgresCustomerStore
from common.storage.delivery import PostgresDeliveryStore
from common.storage.verified import PostgresVerified
from processor.verifying.checking import Checking
from processor.verifying.reading import ReadParts

COUNT, TAMPERED = 100_000, "73501"
ROWS = """
INSERT INTO mirror (customer_id, resource, source_id, version, source_updated_at, content_hash, body, raw, scan_id, seen_at)
SELECT 'acme', 'users', n::text, 1, :now, md5(n::text),
       jsonb_build_object('first_name', 'P' || n, 'last_name', 'Q', 'email', n || '@example.org'), '{}', 's', :now
FROM generate_series(1, :count) n
"""  # noqa: E501 - one statement
LINKS = """
INSERT INTO links (customer_id, resource, source_id, destination_id, details, applied_version, created_at, updated_at)
SELECT 'acme', 'users', n::text, (n + 1000000)::text, '{}', 1, :now, :now FROM generate_series(1, :count) n
"""


class ListingDouble:
    """A destination that holds everybody as mapped, but for whom it was told."""

    visibility_seconds = 0.0

    def __init__(self):
        self.requests = 0
        self.tampered = set()
        self.modified = set()

    def is_kept(self, _resource):
        return True

    def listing(self, _resource):
        return Listing(page_rows=1000, rows_by_id=100, takes_since=True)

    def list_page(self, query):
        self.requests += 1
        if query.modified_since is not None:
            return Listed(found=[self._found(each) for each in sorted(self.modified)], after=None)
        first = int(query.after or 1_000_000) + 1
        ids = range(first, min(first + 1000, 1_000_001 + COUNT))
        last = str(ids[-1])
        return Listed(
            found=[self._found(str(each)) for each in ids], after=last if ids[-1] < 1_000_000 + COUNT else None
        )

    def list_count(self, _resource, _up_to):
        self.requests += 1
        return COUNT

    def read_back(self, _resource, destination_ids):
        self.requests += -(-len(destination_ids) // 100)
        return {each: self._found(each) for each in destination_ids}

    def disagreements(self, write, found):
        is_there = write.desired.first_name == found.current["firstName"]
        return {} if is_there else {"firstName": found.current["firstName"]}

    def _found(self, destination_id):
        name = "Tampered" if destination_id in self.tampered else f"P{int(destination_id) - 1_000_000}"
        return Found(destination_id=destination_id, details={}, current={"firstName": name})


@pytest.fixture
def checking(engine):
    """The product's part, and the double."""
    clock, double = ManualClock(), ListingDouble()
    PostgresCustomerStore(engine, clock).add(a_customer())
    with engine.begin() as connection:
        for statement in (ROWS, LINKS):
            connection.execute(text(statement), {"now": NOW - timedelta(days=1), "count": COUNT})
        for table in ("mirror", "links"):
            connection.execute(text(f"ANALYZE {table}"))
    parts = ReadParts(
        destination=double, store=PostgresVerified(engine), mapping=read_mapping("acme", {}), clock=clock,
        links=PostgresDeliveryStore(engine).links, watch=lambda ask: ask(), tell=lambda *_: None,
    )  # fmt: skip
    return Checking(parts, "acme"), double, parts.store


def test_one_tampered_record_of_100_000_is_named_in_two_requests(checking):
    it, double, store = checking
    first = it.check("users", SourceView(total=COUNT))
    assert (first.certificate.outcome, first.certificate.how, first.certificate.held) == (
        Outcome.EQUAL,
        How.WHOLE,
        COUNT,
    )
    assert double.requests == COUNT // 1000
    store.certify("acme", "users", NOW, {}, first.baseline)

    victim = str(1_000_000 + int(TAMPERED))
    double.tampered, double.modified, double.requests = {victim}, {victim}, 0
    second = it.check("users", SourceView(total=COUNT)).certificate
    assert double.requests == 2
    assert second.how is How.SINCE
    (found,) = second.differing
    assert (found.source_id, found.destination_id, found.fields) == (TAMPERED, victim, ("firstName",))
    assert found.drift is Drift.UNEXPLAINED  # the rows have no applied hash
    assert second.left_root == first.certificate.left_root != second.right_root
