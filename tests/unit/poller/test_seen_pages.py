"""A run leaves behind where it has seen each record."""

from __future__ import annotations

from support.builders import after, an_entity
from support.listing import Listing
from support.recording import PollerRig

from common.domain.runs import RunState
from common.storage.memory.pages import MemoryPages


def a_rig(count, **more):
    listing = Listing(**more)
    for number in range(count):
        listing.put(f"u{number}", f"name{number:03}", at=after(-100 + number))
    return PollerRig(listing)


def seen(rig, source_id):
    found = MemoryPages(rig.tables).seen(an_entity(source_id), newest=20).newest
    return [(page.number, page.scan_pass, page.address, page.times) for page in found]


def test_a_page_is_told_by_the_address_that_it_was_asked_for_with():
    rig = a_rig(8)
    rig.run()

    assert seen(rig, "u0") == [(2, 1, "", 2)], "without the upper bound, and with it"
    assert seen(rig, "u3") == [(3, 1, "…", 1)]
    assert seen(rig, "u7") == [(4, 1, "…", 1)]


def test_each_pass_of_a_scan_that_is_not_sealed_has_its_own_pages():
    rig = a_rig(3, hidden={"u1"})

    assert rig.run() == RunState.UNSEALED
    assert sorted(seen(rig, "u0")) == [(1, 1, "", 1), (2, 2, "", 1), (3, 3, "", 1)]
    assert seen(rig, "u1") == []


def test_polls_in_which_nothing_changes_make_no_more_pages_than_one():
    rig = a_rig(2)
    for _ in range(5):
        rig.clock.advance(300)
        rig.run()

    assert rig.tables.rows.runs.keys() >= {("acme", f"id{number}") for number in (1, 3, 5)}
    backfilled, polled = MemoryPages(rig.tables).seen(an_entity("u1"), newest=20).newest[::-1]
    assert (backfilled.origin, backfilled.times) == ("backfill", 1)
    assert (polled.origin, polled.times) == ("poll", 4)
    assert MemoryPages(rig.tables).count("acme") == 2
