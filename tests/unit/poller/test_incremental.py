"""Modification-time detection over a list that moves while it is paged: a sealed scan has hidden nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import NOW, after
from support.listing import Listing

from common.domain.checkpoints import Checkpoint, Progress
from poller.detectors.incremental import Incremental

DETECTOR = Incremental(overlap=timedelta(seconds=30), passes=3)
START = Progress(run_id="run", origin="poll", trace_id="trace")


def checkpoint(position=None):
    return Checkpoint(customer_id="acme", resource="users", position=position)


class Scan:
    """The loop without storage: what was seen in each pass, and how it ended."""

    def __init__(self, listing, position=None):
        self.listing, self.checkpoint = listing, checkpoint(position)
        self.progress, self.seen, self.shown = START, {}, {}

    def step(self):
        """One page; True while the pass goes on."""
        page = self.listing.page(DETECTOR.query("users", self.checkpoint, self.progress))
        ids = {record.source_id for record in page.records}
        self.seen.setdefault(self.progress.scan_id, set()).update(ids)
        self.shown |= {r.source_id: (r.body["last_name"], r.updated_at) for r in page.records}
        self.progress = DETECTOR.after_page(self.progress, page, self.listing.clock)
        return DETECTOR.needs_another_page(self.progress, page)

    @property
    def saved(self):
        return set(self.shown)

    def run(self):
        """True if it was sealed."""
        while True:
            while self.step():
                pass
            if DETECTOR.is_sealed(self.progress, len(self.seen[self.progress.scan_id])):
                return True
            again = DETECTOR.next_pass(self.progress)
            if again is None:
                return False
            self.progress = again


def a_listing(count, **more):
    listing = Listing(**more)
    for number in range(count):
        listing.put(f"u{number}", f"name{number:03}", at=after(-100 + number))
    return listing


def test_a_list_of_one_page_is_one_unbounded_request():
    scan = Scan(a_listing(3))

    assert scan.run()
    assert [query.updated_before for query in scan.listing.queries] == [None]
    assert DETECTOR.position(scan.progress) == after(-98)


def test_a_longer_list_is_read_again_below_a_second_that_is_over():
    scan = Scan(a_listing(7))

    assert scan.run()
    probe, first, *rest = scan.listing.queries
    assert (probe.updated_before, first.updated_before) == (None, NOW - timedelta(seconds=1))
    assert (first.next_page, len(rest)) == (None, 2)
    assert scan.saved == set(scan.listing.rows)


def test_a_poll_begins_an_overlap_before_the_checkpoint():
    query = DETECTOR.query("users", checkpoint(NOW), START)

    assert (query.updated_after, query.updated_before, query.next_page) == (NOW - timedelta(seconds=30), None, None)


def test_nothing_at_all_seals_and_leaves_the_checkpoint_alone():
    scan = Scan(Listing())

    assert scan.run()
    assert DETECTOR.position(scan.progress) is None


def test_the_checkpoint_moves_to_the_highest_time_seen_and_not_to_any_clock():
    scan = Scan(a_listing(7, clock=after(5000)))

    assert scan.run()
    assert DETECTOR.position(scan.progress) == after(-94)


@pytest.mark.parametrize("count", [1, 7])
def test_a_stamp_from_the_future_does_not_carry_the_checkpoint_with_it(count):
    listing = a_listing(count)
    listing.put("u0", "name000", at=after(1_000_000))
    scan = Scan(listing)

    assert scan.run()
    position = DETECTOR.position(scan.progress)
    assert position is None or position <= NOW


def test_what_the_first_unbounded_page_showed_does_not_move_the_checkpoint():
    listing = a_listing(7)
    listing.put("u0", "name000")
    scan = Scan(listing)

    assert scan.run()
    assert DETECTOR.position(scan.progress) == after(-94)
    assert "u0" in scan.saved


def test_a_deletion_while_paging_makes_the_scan_read_again():
    scan = Scan(a_listing(9))
    for _ in range(2):
        scan.step()
    scan.listing.delete("u0")  # moves u3 from the second page up to the first, which has been read

    assert scan.run()
    assert scan.progress.scan_pass == 2
    assert scan.seen[scan.progress.scan_id] == set(scan.listing.rows)


def test_a_silent_rename_that_moves_another_across_the_boundary_makes_the_scan_read_again():
    scan = Scan(a_listing(9))
    for _ in range(2):
        scan.step()
    scan.listing.rename_silently("u0", "zzz")

    assert scan.run()
    assert scan.progress.scan_pass == 2


def test_a_record_that_only_the_unbounded_page_showed_does_not_make_up_for_a_hidden_one():
    listing = a_listing(9)
    scan = Scan(listing)
    scan.step()
    listing.advance(10)
    listing.put("u0", "name000")  # leaves the bounded set before its first page
    listing.hidden.add("u5")

    assert not scan.run()


def test_a_page_that_lacks_records_its_total_counts_is_never_sealed():
    listing = a_listing(2)
    listing.hidden.add("u1")

    assert not Scan(listing).run()


def test_a_list_that_never_stands_still_is_given_up_after_its_passes():
    listing = a_listing(30)
    doomed = iter([f"u{number}" for number in range(30)])
    listing.between = lambda: listing.delete(next(doomed))
    scan = Scan(listing)

    assert not scan.run()
    assert scan.progress.scan_pass == DETECTOR.passes


def test_a_source_that_tells_no_total_seals_nothing():
    assert not Scan(a_listing(7, tells_total=False)).run()


def test_a_source_that_tells_no_clock_is_bounded_by_ours():
    scan = Scan(a_listing(7, tells_clock=False))

    assert scan.run()
    assert scan.progress.before == (NOW - timedelta(seconds=1)).isoformat()


def test_the_failures_of_before_are_forgotten_after_a_good_page():
    page = a_listing(1).page(DETECTOR.query("users", checkpoint(), START))
    failing = Progress(run_id="run", origin="poll", trace_id="trace", failures=5)

    assert DETECTOR.after_page(failing, page, NOW).failures == 0


#: What may happen to the list between two pages: kind, which record, how much time passes.
EDITS = st.tuples(
    st.sampled_from(["edit", "rename", "silent", "delete", "create", "nothing"]),
    st.integers(0, 19),
    st.sampled_from([0, 0, 0.3, 1, 5]),
)


def apply_edit(listing, edit, serial):
    kind, number, seconds = edit
    listing.advance(seconds)
    ids = sorted(listing.rows)
    target = ids[number % len(ids)] if ids else None
    if kind == "create":
        listing.put(f"new{serial}", f"name{number * 37 % 100:03}x")
    elif target is not None and kind == "edit":
        listing.put(target, listing.rows[target][0])
    elif target is not None and kind == "rename":
        listing.put(target, f"name{number * 53 % 100:03}y")
    elif target is not None and kind == "silent":
        listing.rename_silently(target, f"name{number * 71 % 100:03}z")
    elif target is not None and kind == "delete":
        listing.delete(target)


@settings(max_examples=300)
@given(count=st.integers(0, 14), edits=st.lists(st.lists(EDITS, max_size=3), max_size=14))
def test_a_sealed_scan_has_seen_every_record_that_was_in_its_set_and_still_is(count, edits):
    listing = a_listing(count)
    script, serial = list(edits), iter(range(1000))

    def move():
        for edit in script.pop(0) if script else []:
            apply_edit(listing, edit, next(serial))

    listing.between = move
    scan = Scan(listing)
    if not scan.run():
        return

    if scan.progress.before is None:
        assert set(listing.rows) <= scan.saved
    else:
        bound = datetime.fromisoformat(scan.progress.before)
        still_there = {source_id for source_id, (_, at) in listing.rows.items() if at <= bound}
        assert still_there <= scan.seen[scan.progress.scan_id]


@settings(max_examples=40)
@given(count=st.integers(4, 14), edits=st.lists(st.lists(EDITS, max_size=2), max_size=30))
def test_polling_until_the_list_is_quiet_leaves_nothing_behind(count, edits):
    listing = a_listing(count)
    script, serial = list(edits), iter(range(1000))
    mirror, position = {}, None

    def move():
        for edit in script.pop(0) if script else []:
            if edit[0] != "silent":
                apply_edit(listing, edit, next(serial))

    listing.between = move
    for _ in range(40):
        scan = Scan(listing, position)
        sealed = scan.run()
        mirror.update(scan.shown)
        if sealed:
            position = checkpoint(position).advanced_to(DETECTOR.position(scan.progress))
        listing.advance(2)

    assert not script
    assert {source_id: mirror.get(source_id) for source_id in listing.rows} == listing.rows


def test_a_total_that_changed_while_paging_seals_nothing_however_many_were_seen():
    listing = a_listing(9)
    scan = Scan(listing)
    for _ in range(2):
        scan.step()
    listing.put("late", "zzz", at=after(-50))
    while scan.step():
        pass

    assert scan.progress.moved
    assert not DETECTOR.is_sealed(scan.progress, 99)
