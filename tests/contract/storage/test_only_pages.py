"""A scope of one page: its page and its end are one transaction, and come to what they would come to apart."""

from dataclasses import replace

import pytest
from support.builders import NOW, a_page, a_record, after

from common.domain.errors import RunFenced
from common.domain.resources import USERS
from common.domain.sources import ResourceTerms, Style
from common.domain.stores import ScopeEnd

TERMS = ResourceTerms(style=Style.SCOPED, roots=("root",))


@pytest.fixture(params=[True, False], ids=["together", "apart"])
def read(request, storage):
    """A run that reads the only scope, which is one page; returns what it has counted."""

    def page_and_end(run_id, *source_ids, now):
        progress = replace(storage.start(run_id, now=now).progress, scope="root")
        storage.detection.plan_scopes("acme", USERS, TERMS, lambda *_: now, now)
        found = map(a_record, source_ids)
        page = a_page(progress, *found, scope="root", shows_all=True, now=now)
        end = ScopeEnd(
            customer_id="acme", resource=USERS, run_id=run_id, trace_id="t", origin="poll", scope="root",
            scan_id=progress.scan_id, due_at=after(9000), is_evidence=True, evidence_before=now, now=now,
        )  # fmt: skip
        if request.param:
            return storage.detection.save_page(page, progress, end=end)
        return storage.detection.save_page(page, progress) + storage.detection.end_scope(end, progress)

    return page_and_end


def due(storage, now):
    return storage.detection.next_scope("acme", USERS, TERMS, now, read_before=now)


def test_its_records_are_put_out_and_it_is_read_again_when_it_is_due(storage, read):
    counts = read("run1", "1", "2", now=NOW)

    assert (counts.requests, counts.detected, counts.deleted) == (1, 2, 0)
    assert storage.run("run1").counts == counts
    assert due(storage, after(8999)) is None
    assert due(storage, after(9000)).whole_at == NOW


def test_what_two_of_its_readings_do_not_show_is_gone_and_counted_once(storage, read):
    read("run1", "1", "2", now=NOW)
    storage.finish("run1")
    read("run2", "1", now=after(9000))
    storage.finish("run2")
    counts = read("run3", "1", now=after(18_000))

    assert (counts.detected, counts.unchanged, counts.deleted) == (0, 1, 1)
    assert storage.run("run3").counts == counts
    assert [event.source_id for event in storage.events()] == ["1", "2", "2"]


def test_a_run_that_was_taken_over_leaves_neither_page_nor_end(storage):
    progress = replace(storage.start("run1").progress, scope="root")
    storage.detection.plan_scopes("acme", USERS, TERMS, lambda *_: NOW, NOW)
    storage.detection.finish_run("acme", USERS, "run1", state="failed", position=None, error="", now=NOW)
    end = ScopeEnd(
        customer_id="acme", resource=USERS, run_id="run1", trace_id="t", origin="poll", scope="root",
        scan_id=progress.scan_id, due_at=None, is_evidence=True, evidence_before=NOW, now=NOW,
    )  # fmt: skip

    with pytest.raises(RunFenced):
        storage.detection.save_page(a_page(progress, a_record(), scope="root"), progress, end=end)

    assert storage.events() == []
    assert due(storage, after(1)).read_at is None
