"""Changes since a cursor: the cursor is never ahead of what is saved, and one that expired costs a full scan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import NOW, a_record, after
from support.following import Ledger
from support.recording import KilledError, Killing, PollerRig

from common.domain.checkpoints import Progress
from common.domain.errors import PageUnreadable
from common.domain.events import Action
from common.domain.fuse import Fuse
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.domain.runs import RunState
from common.domain.sources import Gone, Page
from poller import runs
from poller.detectors.cursor import Cursor
from poller.detectors.full import Full

DETECTOR = Cursor()
SLICES = 200
#: Between two scans that count as evidence.
APART = 301


class FollowRig(PollerRig):
    """Runs to their end, each slice at its time."""

    def __init__(self, source, **changes):
        full = Full(passes=3, absence=timedelta(minutes=5))
        super().__init__(source, **{"full": full, "fuse": Fuse(fraction=1.0), **changes})

    def poll(self, layer=Layer.POLL, *, after_seconds=APART):
        self.clock.advance(after_seconds)
        for _ in range(SLICES):
            state = runs.run(self.parts, self.customers.get("acme"), USERS, layer)
            if state not in (None, RunState.CONTINUED):
                return RunState(state)
            row = self.tables.rows.checkpoints["acme", USERS, layer]
            self.clock.advance(max(0.0, (row.continue_at - self.clock.now()).total_seconds()))
        raise AssertionError("the run does not end")

    @property
    def there(self):
        return {
            entity.source_id: (row.body["last_name"])
            for entity, row in self.tables.mirror.items()
            if row.deleted_at is None
        }

    @property
    def report(self):
        return self.tables.runs[-1]


def steps(script):
    """Before each request the next of them."""

    def make_next():
        step = next(script, None)
        return step and step()

    return make_next


def names(source):
    return {source_id: name for source_id, (name, _) in source.rows.items()}


def events(rig):
    return [(event.action, event.entity.source_id) for event in rig.tables.events]


def a_ledger(count=5, **changes):
    source = Ledger(**changes)
    source.put(*(f"u{number}" for number in range(count)))
    return source


def a_followed(count=5, **changes):
    """Polled once, and nothing asked since."""
    source = a_ledger(count)
    rig = FollowRig(source, **changes)
    rig.poll()
    source.queries.clear()
    return source, rig


def test_the_first_time_the_present_cursor_comes_before_everything_and_the_changes_after_it():
    source = a_ledger(5)
    rig = FollowRig(source)

    assert rig.poll() == RunState.COMPLETED
    assert source.kinds == ["present", "list", "list", "list", "changes"]
    assert (rig.there, rig.checkpoint().cursor) == (names(source), "after-5")
    assert {event.origin for event in rig.tables.events} == {"backfill"}


def test_what_changes_behind_the_first_scan_is_among_the_changes_after_it():
    source = a_ledger(4)
    rig = FollowRig(source)
    script = iter([lambda: None, lambda: None, lambda: source.put("u0", name="other")])
    source.between = steps(script)
    rig.poll()

    assert rig.there == names(source)
    assert rig.there["u0"] == "other"


def test_from_then_on_only_changes_are_read():
    source, rig = a_followed()
    source.put("u1", name="other")
    source.take("u2")

    assert rig.poll() == RunState.COMPLETED
    assert source.kinds == ["changes"]
    assert rig.there == names(source)
    assert events(rig)[-2:] == [(Action.UPSERT, "u1"), (Action.DELETE, "u2")]
    assert rig.tables.events[-1].origin == "poll"


def test_nothing_new_is_one_request_and_no_event():
    source, rig = a_followed()
    before = len(events(rig))

    assert (rig.poll(), source.kinds, len(events(rig))) == (RunState.COMPLETED, ["changes"], before)


def test_the_cursor_moves_with_the_last_page_and_not_before():
    source, rig = a_followed()
    source.put(*(f"n{number}" for number in range(5)))
    seen = []
    source.between = lambda: seen.append((rig.checkpoint().cursor, len(rig.there)))
    rig.poll()

    assert seen == [("after-5", 5), ("after-5", 7), ("after-5", 9)]
    assert rig.checkpoint().cursor == "after-10"


def test_an_order_of_stamps_means_nothing_and_what_was_committed_late_is_found():
    source, rig = a_followed()
    source.put("n1", at=after(50))
    rig.poll()
    source.put("n2", at=after(-5000))
    source.put("n3", at=after(50))
    rig.poll()

    assert rig.there == names(source)


def test_pages_that_overlap_and_changes_that_are_told_again_make_no_event():
    source, rig = a_followed()
    source.overlap = 4
    source.put("n1", "n2")
    source.take("u0")
    rig.poll()
    rig.poll()

    told = events(rig)
    assert len(told) == len(set(told)) == 8
    assert rig.there == names(source)


def test_an_expired_cursor_is_replaced_before_everything_is_read():
    source, rig = a_followed()
    source.put("n1")
    source.take("u3")
    source.expire()

    assert rig.poll() == RunState.COMPLETED
    assert source.kinds[:3] == ["changes", "present", "list"]
    assert source.kinds[-2:] == ["look", "changes"]
    assert rig.there == names(source)


def test_without_looks_what_was_deleted_beyond_a_cursor_takes_two_scans():
    source, rig = a_followed()
    source.has_details = False
    source.take("u3")
    source.expire()
    rig.poll()
    assert "u3" in rig.there

    rig.poll(Layer.FULL)
    assert rig.there == names(source)


def test_a_cursor_that_expires_in_the_middle_of_its_pages_costs_a_scan_and_nothing_else():
    source, rig = a_followed()
    source.put(*(f"n{number}" for number in range(6)))
    script = iter([lambda: None, source.expire])
    source.between = steps(script)

    assert rig.poll() == RunState.COMPLETED
    assert source.kinds[:4] == ["changes", "changes", "present", "list"]
    assert rig.there == names(source)


def test_a_cursor_that_expires_during_the_scan_is_replaced_once_more():
    source, rig = a_followed()
    source.expire()
    script = iter([lambda: None, lambda: None, lambda: None, source.expire])
    source.between = steps(script)

    assert rig.poll() == RunState.COMPLETED
    assert source.kinds.count("present") == 2


def test_a_source_whose_cursors_live_shorter_than_a_scan_ends_unsealed_with_all_it_has_read():
    source, rig = a_followed()
    source.put("n1")
    source.between = source.expire

    assert rig.poll() == RunState.UNSEALED
    assert (source.kinds.count("present"), rig.there) == (2, names(source))
    assert rig.checkpoint().cursor == "after-5"
    assert rig.report.error.startswith("3 cursors expired before all was read; the next run begins anew")


def test_an_unsealed_scan_gives_no_cursor():
    """A record that it has hidden may never change again."""
    source = a_ledger(6)
    rig = FollowRig(source)
    honest = source._list
    source._list = lambda query: replace(honest(query), total=7)

    assert rig.poll() == RunState.UNSEALED
    assert rig.checkpoint().cursor == ""
    assert "changes" not in source.kinds


def test_an_empty_account_has_a_cursor_all_the_same():
    source = Ledger()
    rig = FollowRig(source)

    assert rig.poll() == RunState.COMPLETED
    assert rig.checkpoint().cursor == "after-0"
    assert "the list was empty" in rig.report.error


def test_deletions_go_through_the_fuse():
    source, rig = a_followed(30, fuse=Fuse(fraction=0.0, records=2))
    for number in range(5):
        source.take(f"u{number}")
    rig.poll()

    assert rig.report.counts.deleted == 2
    assert rig.report.counts.held == 3
    assert len(rig.there) == 28


def test_a_deletion_that_is_older_than_what_was_seen_takes_nothing_away():
    source, rig = a_followed()
    source._changes = lambda query: Page(
        records=(), broken=(), gone=[Gone(source_id="u1", at=after(-1)), Gone(source_id="nobody")], next_page=None,
        total=None, answered_at=None, cursor="c",
    )  # fmt: skip
    rig.poll()

    assert "u1" in rig.there


def test_of_an_id_that_is_shown_and_said_to_be_deleted_only_a_time_can_tell():
    gone = [Gone(source_id="1"), Gone(source_id="2"), Gone(source_id="1", at=NOW)]
    page = Page(records=[a_record("1")], broken=(), gone=gone, next_page=None, total=None, answered_at=None)

    assert DETECTOR.gone(page) == gone[1:]


@pytest.mark.parametrize("cursor", [None, ""])
def test_an_end_without_a_cursor_is_no_page(cursor):
    start = Progress(run_id="run", origin="poll", trace_id="trace", cursor="c")
    page = Page(records=(), broken=(), next_page=None, total=None, answered_at=None, cursor=cursor)

    with pytest.raises(PageUnreadable):
        DETECTOR.after_page(start, page)
    with pytest.raises(PageUnreadable):
        DETECTOR.snapshot(start, page)


def test_a_page_that_leads_to_itself_is_no_page():
    start = Progress(run_id="run", origin="poll", trace_id="trace", cursor="c", next_page="p")
    page = Page(records=(), broken=(), next_page="p", total=None, answered_at=None)

    with pytest.raises(PageUnreadable):
        DETECTOR.after_page(start, page)


def test_a_snapshots_pages_move_no_cursor_and_delete_nothing_by_their_word():
    source = a_ledger(4)
    rig = FollowRig(source)
    honest = source._list
    source._list = lambda query: replace(honest(query), gone=[Gone(source_id="u0")], cursor="wrong")
    rig.poll()

    assert (rig.there, rig.checkpoint().cursor) == (names(source), "after-4")


def test_reconciliation_reads_the_last_day_again_by_a_cursor_of_its_own():
    source, rig = a_followed()
    rig.poll(Layer.RECONCILIATION)
    source.put("n1")
    rig.poll()
    lost = next(entity for entity in rig.tables.mirror if entity.source_id == "n1")
    with rig.tables.transaction() as rows:
        rows.mirror[lost] = replace(rows.mirror[lost], content_hash="drifted")
    source.queries.clear()
    rig.poll(Layer.RECONCILIATION)

    assert source.kinds == ["changes"]
    assert rig.report.counts.detected == 1


def test_a_full_scan_by_its_own_layer_compares_all_and_leaves_the_cursor_alone():
    source, rig = a_followed()

    assert rig.poll(Layer.FULL) == RunState.COMPLETED
    assert set(source.kinds) == {"list"}
    assert rig.checkpoint().cursor == "after-5"


@pytest.mark.parametrize("at", range(1, 22))
@pytest.mark.parametrize("after_call", [False, True])
@pytest.mark.parametrize("is_expired", [False, True])
def test_killed_anywhere_it_finds_the_same(at, after_call, is_expired):
    source, rig = a_followed()
    source.put("n1", "n2", "n3", "u1", name="other")
    source.take("u2")
    if is_expired:
        source.expire()
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after_call))
    with suppress(KilledError):
        rig.poll()
    rig.parts = whole
    rig.poll(after_seconds=0)

    assert rig.there == names(source)
    assert len(events(rig)) == len(set(events(rig))) + 1  # u1 has changed once


STEPS = st.tuples(st.sampled_from(["put", "put", "take", "forget", "expire", "nothing"]), st.integers(0, 9))


def make_step(source, step, serial):
    kind, number = step
    if kind == "put":
        source.put(f"u{number}", name=f"name{serial}")
    elif kind == "take":
        source.take(f"u{number}")
    elif kind in ("forget", "expire"):
        getattr(source, kind)()


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(STEPS, max_size=8), during=st.lists(st.lists(STEPS, max_size=2), max_size=30),
    overlap=st.integers(0, 3), tells_times=st.booleans(), slice_seconds=st.sampled_from([0.5, 60.0]),
)  # fmt: skip
def test_once_the_source_is_quiet_the_mirror_is_what_it_holds(before, during, overlap, tells_times, slice_seconds):
    source = Ledger(overlap=overlap, tells_times=tells_times)
    rig = FollowRig(source, slice_seconds=slice_seconds)
    script, serial = list(during), iter(range(1000))

    def move():
        rig.clock.advance(1)
        for step in script.pop(0) if script else []:
            make_step(source, step, next(serial))

    for step in before:
        make_step(source, step, next(serial))
    source.between = move
    while script:
        rig.poll()
    rig.poll()
    has_expired = any(kind in ("forget", "expire") for steps in during for kind, _ in steps)
    if has_expired and source.rows:
        rig.poll(Layer.FULL)

    if source.rows or not has_expired:
        assert rig.there == names(source)
