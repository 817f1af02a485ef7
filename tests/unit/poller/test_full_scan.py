"""Full scans: what is gone is found out by its id at once, or by two scans; the fuse holds what is too much."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from support.builders import a_broken_record, a_customer
from support.full import APART, Account, FullRig
from support.recording import KilledError, Killing

from common.domain.errors import PageUnreadable, PermanentError
from common.domain.fuse import Fuse, fuse_of
from common.domain.runs import RunState
from poller.detectors.full import Full


def an_account(count=10, **changes):
    source = Account(**changes)
    source.put(*(f"{number:03}" for number in range(count)))
    return source


def cut_short(count):
    """Every list of the source leaves out its last ones, and counts them out: nobody can tell."""

    def lie(_query, page):
        kept = [record for record in page.records if int(record.source_id) < count]
        return replace(page, records=kept, total=count, next_page=page.next_page if len(kept) == 3 else None)

    return lie


def test_what_is_gone_is_looked_for_by_its_id_and_deleted_after_one_scan():
    source = an_account()
    rig = FullRig(source)
    del source.rows["004"]

    assert rig.scan() == RunState.COMPLETED
    assert (rig.deleted, source.looks) == (["004"], ["004"])
    assert (rig.report.counts.deleted, rig.report.counts.held) == (1, 0)
    rig.scan()
    assert rig.deleted == ["004"]


def test_where_nothing_is_shown_by_its_id_two_scans_are_needed():
    source = an_account(has_details=False)
    rig = FullRig(source)
    del source.rows["004"]

    rig.scan()
    assert rig.deleted == []
    rig.scan()
    assert (rig.deleted, source.looks) == (["004"], [])


def test_two_scans_that_follow_each_other_too_soon_count_as_one():
    source = an_account(has_details=False)
    rig = FullRig(source)
    del source.rows["004"]
    rig.scan()
    rig.scan(after_seconds=APART - 1)
    assert rig.deleted == []

    rig.scan(after_seconds=1)
    assert rig.deleted == ["004"]


def test_what_a_list_hides_and_the_source_shows_by_its_id_was_never_absent():
    source = an_account()
    rig = FullRig(source)
    source.lie = cut_short(8)
    for _ in range(3):
        rig.scan()

    assert (rig.deleted, set(source.looks)) == ([], {"008", "009"})


@pytest.mark.parametrize("error", [PageUnreadable("not JSON"), PermanentError("no", reason="refused")])
def test_a_look_without_an_answer_is_no_evidence_and_ends_no_run(error):
    source = an_account()
    rig = FullRig(source)
    del source.rows["004"]

    def fail(_source_id, _page):
        raise error

    source.one = fail
    assert rig.scan() == RunState.COMPLETED
    assert rig.deleted == []
    rig.scan()
    assert rig.deleted == ["004"]


def test_only_so_many_are_looked_for():
    source = an_account(40)
    rig = FullRig(source, full=Full(looks=2), fuse=Fuse(fraction=1.0))
    for number in range(5):
        del source.rows[f"{number:03}"]

    rig.scan()
    assert (len(source.looks), len(rig.deleted)) == (2, 2)
    rig.scan()
    assert len(rig.deleted) == 5


def test_an_empty_list_says_nothing():
    source = an_account(3)
    rig = FullRig(source)
    source.rows.clear()
    for _ in range(3):
        assert rig.scan() == RunState.COMPLETED

    assert (rig.deleted, source.looks) == ([], [])
    assert rig.report.error == "the list was empty, which is no evidence that everything is gone"


def test_an_item_without_an_id_may_be_any_record():
    source = an_account(3)
    rig = FullRig(source)
    del source.rows["001"]
    unknown = replace(a_broken_record("unreadable-1"), is_identified=False)
    source.lie = lambda _, page: replace(page, broken=[unknown], total=3)
    for _ in range(3):
        assert rig.scan() == RunState.COMPLETED

    assert rig.deleted == []


def test_what_is_seen_by_a_poll_while_the_scan_goes_on_is_not_absent():
    """It was there for a moment, where the scan has been already."""
    source = an_account(9, has_details=False)
    rig = FullRig(source, slice_seconds=0.5)
    del source.rows["000"]
    source.between = lambda: rig.clock.advance(1)
    rig.scan()

    def come_back_for_a_moment():
        source.put("000")
        source.lie = lambda query, page: replace(page, next_page=None)
        rig.run()
        del source.rows["000"]
        source.lie = lambda _, page: page

    rig.scan(between=come_back_for_a_moment)
    assert rig.deleted == []
    rig.scan()
    rig.scan()
    assert rig.deleted == ["000"]


def test_a_poll_between_two_slices_of_a_scan_does_not_keep_it_from_being_sealed():
    source = an_account(9, has_details=False)
    rig = FullRig(source, slice_seconds=0.5)
    source.between = lambda: rig.clock.advance(1)
    del source.rows["004"]

    for _ in range(2):
        assert rig.scan(between=rig.run) == RunState.COMPLETED
    assert rig.deleted == ["004"]


def test_a_list_that_repeats_itself_is_no_evidence_although_all_its_records_are_counted():
    """So does one that grows at its head while another record leaves it further down."""
    source = an_account(9, has_details=False)
    rig = FullRig(source)
    del source.rows["004"]
    source.lie = lambda _, page: replace(page, records=[*page.records, page.records[-1]])

    for _ in range(3):
        assert rig.scan() == RunState.UNSEALED
    assert rig.deleted == []
    assert "nothing counts as gone: the list said 8 records, and showed" in rig.report.error


def test_a_list_that_shows_one_record_in_the_place_of_another_is_no_evidence_although_its_total_is_right():
    source = an_account(9, has_details=False)
    rig = FullRig(source)
    source.lie = lambda _, page: replace(page, records=[*page.records[:-1], page.records[0]])

    for _ in range(3):
        assert rig.scan() == RunState.UNSEALED
    assert rig.deleted == []


def test_a_list_that_never_ends_is_left():
    source = an_account(9)
    rig = FullRig(source)
    source.lie = lambda _, page: replace(page, next_page="0")

    assert rig.scan() == RunState.UNSEALED
    assert len(source.queries) < 60
    source.lie = lambda _, page: replace(page, records=[], next_page="0")
    assert rig.scan() == RunState.UNSEALED


def test_the_fuse_holds_what_is_too_much_and_lets_go_what_is_not():
    source = an_account(100)
    rig = FullRig(source, full=Full(looks=0), fuse=Fuse(fraction=0.05, records=3))
    for number in range(12):
        del source.rows[f"{number:03}"]
    rig.scan()
    rig.scan()

    assert rig.deleted == [f"{number:03}" for number in range(5)]
    assert rig.held == {f"{number:03}" for number in range(5, 12)}
    assert (rig.report.counts.deleted, rig.report.counts.held) == (5, 7)


def test_the_fuse_counts_a_day_and_not_a_scan():
    source = an_account(100)
    rig = FullRig(source, fuse=Fuse(fraction=0.05, records=3))
    for number in range(8):
        del source.rows[f"{number:03}"]
        rig.scan()

    assert (len(rig.deleted), len(rig.held)) == (5, 3)
    rig.scan(after_seconds=86_400)
    assert (len(rig.deleted), len(rig.held)) == (5, 3)
    del source.rows["050"]
    rig.scan()
    assert rig.deleted[-1] == "050"


def test_a_record_that_is_there_again_settles_its_deletion():
    source = an_account(10)
    rig = FullRig(source, fuse=Fuse(fraction=0.0, records=0))
    del source.rows["004"]
    rig.scan()
    assert rig.held == {"004"}
    source.put("004")
    rig.scan()

    assert (rig.held, rig.deleted) == (set(), [])


def test_one_that_was_deleted_and_is_seen_again_is_put_out_even_if_it_is_as_it_was():
    source = an_account(10)
    rig = FullRig(source)
    del source.rows["004"]
    rig.scan()
    source.put("004")
    rig.scan()

    assert [e.action for e in rig.tables.events if e.entity.source_id == "004"] == ["upsert", "delete", "upsert"]


@pytest.mark.parametrize("at", range(1, 40))
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_it_finds_the_same(at, after):
    source = an_account(8)
    rig = FullRig(source)
    del source.rows["004"], source.rows["007"]
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after))
    with suppress(KilledError):
        rig.scan()
    rig.parts = whole
    rig.scan(after_seconds=0)

    assert rig.deleted == ["004", "007"]
    assert rig.there == set(source.rows)


def test_a_customer_has_a_fuse_of_its_own():
    default = Fuse(fraction=0.05, records=20)
    own = a_customer(source_settings={"deletion_fuse_percent": 10, "deletion_fuse_records": 0})

    assert fuse_of(a_customer(), default) == default
    assert fuse_of(own, default) == Fuse(fraction=0.1, records=0)


@pytest.mark.parametrize(
    ("known", "gone", "allowed"), [(10, 0, 20), (400, 0, 20), (420, 0, 21), (1000, 30, 20), (1000, 60, 0), (10, 25, 0)]
)
def test_both_limits_have_to_be_passed(known, gone, allowed):
    assert Fuse().allows(known=known, gone=gone) == allowed


def test_a_full_scan_compares_all_fields_where_no_stamp_says_that_one_has_changed():
    source = an_account()
    rig = FullRig(source)
    source.put("004", name="another")
    rig.scan()

    assert rig.mirrored()["004"] == "another"
    assert rig.report.counts.detected == 1


def test_a_mirror_that_has_drifted_is_put_right():
    source = an_account()
    rig = FullRig(source)
    (lost,) = (entity for entity in rig.tables.mirror if entity.source_id == "004")
    with rig.tables.transaction() as rows:
        rows.mirror[lost] = replace(rows.mirror[lost], content_hash="drifted")
    rig.scan()

    assert [e.entity.source_id for e in rig.tables.events][-1] == "004"
    assert rig.report.counts.detected == 1
