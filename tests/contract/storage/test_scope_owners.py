"""Which scope can tell of a record's absence, where one view shows the record first and another one can prove things.

A participation is shown by its person's detail and by its date; only the date proves that it is gone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_page, after

from common.domain.records import Record
from common.domain.resources import PARTICIPATIONS
from common.domain.sources import ResourceTerms, Style
from common.domain.stores import ScopeEnd

TERMS = ResourceTerms(style=Style.SCOPED, roots=("date/7", "user/1"))
DATE, PERSON = "date/7", "user/1"


class Reader:
    """Reads whole scopes, one run each, minutes apart."""

    def __init__(self, storage) -> None:
        self._store, self._readings = storage.detection, 0
        self._store.plan_scopes("acme", PARTICIPATIONS, TERMS, lambda *_: NOW, NOW)

    def read(self, scope, *records):
        """Returns how many records are gone by it."""
        self._readings += 1
        run_id, now = f"run-{self._readings}", after(3600 * self._readings)
        begun = self._store.start_run(
            customer_id="acme", resource=PARTICIPATIONS, run_id=run_id, trace_id="trace", now=now
        )
        progress, proves = replace(begun.progress, scope=scope), scope == DATE
        page = a_page(progress, *records, resource=PARTICIPATIONS, scope=scope, now=now, shows_all=proves)
        self._store.save_page(page, progress)
        end = ScopeEnd(
            customer_id="acme", resource=PARTICIPATIONS, run_id=run_id, trace_id="trace", origin="poll", scope=scope,
            scan_id=progress.scan_id, due_at=now, is_evidence=proves, evidence_before=now - timedelta(minutes=5),
            now=now,
        )  # fmt: skip
        counts = self._store.end_scope(end, progress)
        self._store.finish_run("acme", PARTICIPATIONS, run_id, state="completed", position=None, error="", now=now)
        return counts.deleted


@pytest.fixture
def reader(storage):
    return Reader(storage)


def a_participation(**changes):
    base = {"resource": PARTICIPATIONS, "source_id": "7:1", "updated_at": NOW, "body": {"hours": "1.00"}, "scope": DATE}
    return Record(**{**base, **changes})


def test_what_a_person_showed_first_is_gone_once_its_date_has_not_shown_it_twice(reader):
    reader.read(PERSON, a_participation())

    assert [reader.read(DATE), reader.read(DATE), reader.read(DATE)] == [0, 1, 0]


def test_what_names_no_scope_is_gone_by_none(reader):
    reader.read(PERSON, a_participation(scope=""))

    assert [reader.read(DATE), reader.read(DATE)] == [0, 0]


def test_a_scope_that_was_wrong_is_not_believed_again_until_it_shows_the_record(reader):
    """The two views disagree for good: the hours must not go and come with each reading."""
    reader.read(PERSON, a_participation())
    assert [reader.read(DATE), reader.read(DATE)] == [0, 1]
    reader.read(PERSON, a_participation())
    assert [reader.read(DATE), reader.read(DATE), reader.read(DATE)] == [0, 0, 0]

    reader.read(PERSON, a_participation(body={"hours": "2.00"}, updated_at=after(5)))
    assert [reader.read(DATE), reader.read(DATE)] == [0, 0]
    reader.read(DATE, a_participation(body={"hours": "2.00"}, updated_at=after(5)))
    assert [reader.read(DATE), reader.read(DATE)] == [0, 1]


def test_another_view_does_not_take_a_record_from_the_scope_that_shows_it(reader):
    reader.read(DATE, a_participation(scope="date/elsewhere"))
    reader.read(PERSON, a_participation(body={"hours": "2.00"}, scope="date/elsewhere"))

    assert [reader.read(DATE), reader.read(DATE)] == [0, 1]
