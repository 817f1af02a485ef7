"""Full scans: who is missing, who is suspected, what the fuse holds; the same on both stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, a_broken_record, a_page, a_record, after, an_entity

from common.domain.errors import RunFenced
from common.domain.fuse import Fuse
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.domain.sources import WHOLE, ResourceTerms, Style
from common.domain.stores import ScopeEnd

#: Seconds between two scans that count.
APART = 300
TERMS = ResourceTerms(style=Style.SCOPED, roots=("group/1",))


class Scanner:
    """Full scans of one page each, driven by hand."""

    def __init__(self, storage):
        self.storage, self.store = storage, storage.detection

    def start(self, seconds, customer_id="acme"):
        started = self.store.start_run(
            customer_id=customer_id, resource=USERS, run_id=f"full{seconds}{customer_id}", trace_id="trace",
            now=after(seconds), layer=Layer.FULL,
        )  # fmt: skip
        return replace(started.progress, walk_began=after(seconds).isoformat())

    def show(self, progress, *source_ids, seconds, broken=()):
        page = a_page(
            progress, *map(a_record, source_ids), broken=broken, now=after(seconds), full_scan_id=progress.scan_id
        )
        return self.store.save_page(page, progress)

    def end(self, progress, seconds, **changes):
        return ScopeEnd(**{
            "customer_id": "acme", "resource": USERS, "run_id": progress.run_id, "trace_id": "trace", "origin": "full",
            "scope": WHOLE, "scan_id": progress.scan_id, "due_at": None, "is_evidence": True,
            "evidence_before": after(seconds) - timedelta(seconds=APART), "now": after(seconds),
            "full_since": after(seconds), **changes,
        })  # fmt: skip

    def scan(self, *source_ids, seconds, fuse=None):
        """A whole one; returns what its end has counted."""
        progress = self.start(seconds)
        self.show(progress, *source_ids, seconds=seconds)
        counts = self.store.end_scope(self.end(progress, seconds, fuse=fuse or Fuse()), progress)
        self.finish(progress, seconds)
        return counts

    def look(self, source_id, *, seconds, is_there=False, fuse=None):
        progress = self.start(seconds)
        end = self.end(progress, seconds, is_evidence=not is_there, fuse=fuse or Fuse())
        counts = self.store.end_look(end, source_id, progress)
        self.finish(progress, seconds)
        return counts

    def finish(self, progress, seconds):
        self.store.finish_run(
            "acme", USERS, progress.run_id, state="completed", position=None, error="", now=after(seconds)
        )

    @property
    def suspects(self):
        found, last = [], ""
        while (last := self.store.next_suspect("acme", USERS, after=last)) is not None:
            found.append(last)
        return found

    def versions(self, source_id):
        return [event.version for event in self.storage.events() if event.source_id == source_id]


@pytest.fixture
def scanner(storage):
    """Three users have been polled; two belong to another customer."""
    storage.detect(a_record("1"), a_record("2"), a_record("3"))
    storage.detect(a_record("1"), a_record("9"), run_id="other", customer_id="globex")
    return Scanner(storage)


def test_a_full_scan_has_an_origin_and_a_progress_of_its_own_and_no_bound(storage):
    storage.start()
    storage.finish(position=NOW)
    progress = Scanner(storage).start(1)

    assert (progress.origin, progress.whole, progress.since, progress.before) == ("full", True, None, None)
    assert storage.start("p2").checkpoint.position == NOW


def test_one_absence_makes_a_suspect_and_the_second_an_event(scanner):
    assert scanner.scan("1", "2", seconds=1).deleted == 0
    assert scanner.suspects == ["3"]
    assert scanner.scan("1", "2", seconds=1 + APART).deleted == 1
    assert (scanner.versions("3"), scanner.suspects) == ([1, 2], [])
    assert scanner.scan("1", "2", seconds=1 + 2 * APART).deleted == 0


def test_a_second_scan_too_soon_adds_nothing(scanner):
    scanner.scan("1", "2", seconds=1)
    assert scanner.scan("1", "2", seconds=APART).deleted == 0
    assert scanner.scan("1", "2", seconds=1 + APART).deleted == 1


def test_one_that_was_shown_in_between_starts_anew(scanner):
    scanner.scan("1", "2", seconds=1)
    scanner.storage.detect(a_record("3"), run_id="poll2", now=after(50))

    assert scanner.suspects == []
    assert scanner.scan("1", "2", seconds=1 + APART).deleted == 0
    assert scanner.scan("1", "2", seconds=1 + 2 * APART).deleted == 1


def test_what_others_see_while_it_goes_on_is_not_absent_and_does_not_count_as_shown(scanner):
    progress = scanner.start(1)
    scanner.show(progress, "1", "2", seconds=2)
    scanner.storage.detect(a_record("2"), a_record("3"), run_id="poll2", now=after(3))

    assert scanner.store.seen_in_full_scan("acme", USERS, progress.scan_id) == 2
    scanner.store.end_scope(scanner.end(progress, 4, full_since=after(1)), progress)
    assert scanner.suspects == []


def test_not_there_by_its_id_is_evidence_enough(scanner):
    scanner.scan("1", "2", seconds=1)

    assert scanner.look("3", seconds=2).deleted == 1
    assert (scanner.versions("3"), scanner.suspects) == ([1, 2], [])
    assert scanner.look("3", seconds=3).deleted == 0


def test_there_by_its_id_was_never_absent(scanner):
    scanner.scan("1", "2", seconds=1)

    assert scanner.look("3", seconds=2, is_there=True).deleted == 0
    assert scanner.suspects == []
    assert scanner.scan("1", "2", seconds=1 + APART).deleted == 0


def test_a_look_at_one_that_nobody_misses_deletes_nothing(scanner):
    scanner.scan("1", "2", "3", seconds=1)

    assert scanner.look("3", seconds=2).deleted == 0


def test_no_other_customer_is_concerned(scanner):
    scanner.scan("1", "2", seconds=1)
    scanner.scan("1", "2", seconds=1 + APART)

    assert [event.action for event in scanner.storage.due(customer_id="globex")] == ["upsert", "upsert"]
    assert scanner.store.next_suspect("globex", USERS, after="") is None


def test_what_could_not_be_read_is_not_missed(scanner):
    scanner.storage.detect(broken=[a_broken_record("4")], run_id="poll2")
    scanner.scan("1", "2", "3", seconds=1)

    assert scanner.suspects == []


def test_beyond_the_fuse_they_are_held_and_nothing_more_is_asked_of_them(scanner):
    fuse = Fuse(fraction=0.0, records=1)
    scanner.scan("1", seconds=1)
    counts = scanner.scan("1", seconds=1 + APART, fuse=fuse)

    assert (counts.deleted, counts.held) == (1, 1)
    assert (scanner.versions("2"), scanner.versions("3"), scanner.suspects) == ([1, 2], [1], [])
    again = scanner.scan("1", seconds=1 + 2 * APART, fuse=fuse)
    assert (again.deleted, again.held) == (0, 0)


def test_a_day_has_one_fuse_for_all_its_scans_and_looks(scanner):
    fuse = Fuse(fraction=0.0, records=1)
    scanner.scan("1", seconds=1)
    assert scanner.look("2", seconds=2, fuse=fuse).deleted == 1
    assert scanner.look("3", seconds=3, fuse=fuse).held == 1
    scanner.scan("3", seconds=4)
    scanner.scan("3", seconds=86_403)

    assert scanner.scan("3", seconds=86_403 + APART, fuse=fuse).deleted == 1


def test_a_held_one_that_is_seen_again_is_as_if_nothing_had_been(scanner):
    scanner.scan("1", "2", seconds=1)
    scanner.look("3", seconds=2, fuse=Fuse(fraction=0.0, records=0))
    scanner.storage.detect(a_record("3"), run_id="poll2", now=after(50))

    assert scanner.versions("3") == [1]
    scanner.scan("1", "2", seconds=100)
    assert scanner.suspects == []
    scanner.scan("1", "2", seconds=1 + APART)
    assert scanner.suspects == ["3"]
    assert scanner.look("3", seconds=2 + APART).deleted == 1


def test_seen_again_after_its_deletion_it_is_put_out_even_if_it_is_as_it_was(scanner):
    scanner.scan("1", "2", seconds=1)
    scanner.look("3", seconds=2)
    scanner.scan("1", "2", "3", seconds=3)

    assert scanner.versions("3") == [1, 2, 3]
    assert scanner.storage.mirror_version(an_entity("3")) == 3


def test_a_scan_that_was_taken_over_counts_nothing(scanner):
    progress = scanner.start(1)
    scanner.finish(progress, 1)
    scanner.start(2)

    with pytest.raises(RunFenced):
        scanner.store.end_scope(scanner.end(progress, 1), progress)
    with pytest.raises(RunFenced):
        scanner.store.end_look(scanner.end(progress, 1), "3", progress)


def test_a_scope_has_the_same_fuse(storage):
    progress = replace(storage.start("walk").progress, scope="group/1")
    page = a_page(progress, *map(a_record, "123"), scope="group/1", shows_all=True)
    storage.detection.save_page(page, progress)
    storage.detection.plan_scopes("acme", USERS, TERMS, lambda *_: NOW, NOW)
    counts = []
    for seconds in (1, 400):
        later = replace(progress, walk_began=str(seconds))
        end = Scanner(storage).end(
            later, seconds, scope="group/1", full_since=None, origin="poll", fuse=Fuse(fraction=0.0, records=2)
        )
        counts.append(storage.detection.end_scope(end, later))

    assert [(each.deleted, each.held) for each in counts] == [(0, 0), (2, 1)]
