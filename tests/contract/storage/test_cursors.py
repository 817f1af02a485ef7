"""Cursors beside the checkpoint, and deletions that a source states; the same on both stores."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOW, a_page, a_record, after, an_entity

from common.domain.errors import RunFenced
from common.domain.fuse import Fuse
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.domain.sources import Gone


def save(storage, run_id, *records, **page):
    """One whole run of one page of changes; returns its counts."""
    progress = storage.start(run_id).progress
    counts = storage.detection.save_page(a_page(progress, *records, **page), progress)
    storage.finish(run_id)
    return counts


def cursor(storage, run_id="look"):
    found = storage.start(run_id).checkpoint.cursor
    storage.finish(run_id)
    return found


def told(storage):
    return [(event.source_id, event.version) for event in storage.events()]


def test_there_is_no_cursor_until_a_last_page_brings_one(storage):
    save(storage, "r1", a_record("1"))
    assert cursor(storage, "r2") == ""

    save(storage, "r3", a_record("2"), cursor="c1")
    assert cursor(storage, "r4") == "c1"
    save(storage, "r5", a_record("3"))
    assert cursor(storage, "r6") == "c1"


def test_a_page_that_cannot_be_saved_moves_no_cursor(storage):
    progress = storage.start("r1").progress
    storage.finish("r1")
    storage.start("r2")
    with pytest.raises(RunFenced):
        storage.detection.save_page(a_page(progress, a_record("1"), cursor="c1"), progress)
    storage.finish("r2")

    assert (cursor(storage), told(storage)) == ("", [])


def test_a_layer_with_a_progress_of_its_own_has_a_cursor_of_its_own(storage):
    save(storage, "r1", a_record("1"), cursor="c1")
    started = storage.detection.start_run(
        customer_id="acme", resource=USERS, layer=Layer.RECONCILIATION, run_id="d1", trace_id="t", now=NOW
    )
    storage.detection.save_page(a_page(started.progress, cursor="d"), started.progress)

    assert (started.checkpoint.cursor, cursor(storage)) == ("", "c1")


def test_what_the_source_says_is_deleted_is_gone_at_once_and_once(storage):
    save(storage, "r1", a_record("1"), a_record("2"))
    first = save(storage, "r2", gone=[Gone(source_id="2"), Gone(source_id="unknown")])
    second = save(storage, "r3", gone=[Gone(source_id="2")])

    assert (first.deleted, second.deleted) == (1, 0)
    assert told(storage) == [("1", 1), ("2", 1), ("2", 2)]
    assert storage.run("r2").counts.deleted == 1


def test_what_was_seen_later_than_its_deletion_is_there(storage):
    save(storage, "r1", a_record("1", at=NOW), a_record("2", at=NOW))
    counts = save(storage, "r2", gone=[Gone(source_id="1", at=NOW), Gone(source_id="2", at=NOW - timedelta(seconds=1))])

    assert (counts.deleted, told(storage)[-1]) == (1, ("1", 2))


def test_a_page_that_shows_a_record_and_its_later_deletion_ends_with_the_deletion(storage):
    counts = save(storage, "r1", a_record("1", at=NOW), gone=[Gone(source_id="1", at=after(1))])

    assert (counts.detected, counts.deleted, told(storage)) == (1, 1, [("1", 1), ("1", 2)])


def test_more_than_the_fuse_lets_go_is_held_until_it_is_seen_again(storage):
    save(storage, "r1", *map(a_record, "123"))
    gone = [Gone(source_id=each) for each in "123"]
    fuse = Fuse(fraction=0.0, records=1)
    first = save(storage, "r2", gone=gone, fuse=fuse)
    second = save(storage, "r3", gone=gone, fuse=fuse)

    assert [(each.deleted, each.held) for each in (first, second)] == [(1, 2), (0, 0)]
    save(storage, "r4", a_record("3"))
    assert save(storage, "r5", gone=[Gone(source_id="3")], fuse=Fuse(fraction=1.0)).deleted == 1
    assert storage.mirror_version(an_entity("2")) == 1


def test_no_other_customer_and_no_other_resource_is_concerned(storage):
    storage.detect(a_record("1"), run_id="other", customer_id="globex")
    save(storage, "r1", a_record("1"))
    save(storage, "r2", gone=[Gone(source_id="1")])

    assert [event.action for event in storage.due(customer_id="globex")] == ["upsert"]
