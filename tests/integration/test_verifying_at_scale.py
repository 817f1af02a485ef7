"""Many records over PostgreSQL's rows, with one that is tampered with at the destination; see `support.listed`.

4,000 here; the same with 100,000 is `benchmarks.layers.verify_cost`, and the tree alone is tested with 100,000.
"""

from __future__ import annotations

from support.builders import NOW
from support.listed import PAGE_ROWS, many_in_step

from common.domain.drift import Drift
from common.domain.verifying import How, Outcome, SourceView

COUNT, TAMPERED = 4_000, 2_701


def test_one_tampered_record_of_many_is_named_in_two_requests(engine):
    it, double, store = many_in_step(engine, COUNT)
    first = it.check("users", SourceView(total=COUNT))
    assert (first.certificate.outcome, first.certificate.how) == (Outcome.EQUAL, How.WHOLE)
    assert (first.certificate.held, double.requests) == (COUNT, COUNT // PAGE_ROWS)
    store.certify("acme", "users", NOW, {}, first.baseline)

    double.tampered, double.requests = frozenset({TAMPERED}), 0
    second = it.check("users", SourceView(total=COUNT)).certificate
    assert (second.how, double.requests) == (How.SINCE, 2)
    (found,) = second.differing
    assert (found.source_id, found.fields) == (str(TAMPERED), ("firstName",))
    assert found.drift is Drift.UNEXPLAINED  # the rows were linked without an applied hash
    assert second.left_root == first.certificate.left_root != second.right_root
