"""Items that cannot be read are dead letters; too many of them pause their customer, and lose nothing."""

from __future__ import annotations

from dataclasses import replace

from support.builders import a_broken_record
from support.full import Account
from support.recording import PollerRig

from common.domain.customers import CustomerStatus
from common.domain.runs import RunState
from common.storage.memory.delivery import MemoryDeliveryStore
from poller.unreadable import LetterLimit


def rig_with(unreadable: int, *, limit: int) -> PollerRig:
    """Three readable people, and behind them so many others, three on a page."""
    source = Account()
    source.put("001", "002", "003", *(f"1{number:02}" for number in range(unreadable)))

    def lie(_query, page):
        broken = [a_broken_record(each.source_id) for each in page.records if each.source_id > "1"]
        return replace(page, records=[each for each in page.records if each.source_id < "1"], broken=broken)

    source.lie = lie
    rig = PollerRig(source)
    limits = LetterLimit(count=MemoryDeliveryStore(rig.tables).open_dead_letters, letters=limit)
    rig.parts = replace(rig.parts, letter_limit=limits)
    return rig


def test_a_source_of_items_that_cannot_be_read_is_read_no_further_than_the_limit_of_letters():
    rig = rig_with(30, limit=6)

    assert rig.run() == RunState.FAILED
    customer = rig.customers.get("acme")
    assert customer.status is CustomerStatus.PAUSED
    assert "6 dead letters" in customer.status_reason
    assert len(rig.tables.dead_letters) == 6


def test_a_person_who_resumes_it_has_it_read_on_from_there():
    rig = rig_with(9, limit=6)
    rig.run()
    rig.parts = replace(rig.parts, letter_limit=replace(rig.parts.letter_limit, letters=100))
    rig.customers.resume("acme")

    assert rig.run() == RunState.COMPLETED
    assert len(rig.tables.dead_letters) == 9


def test_letters_that_were_there_before_pause_nobody_who_is_read_without_new_ones():
    rig = rig_with(5, limit=6)
    assert rig.run() == RunState.COMPLETED
    rig.parts = replace(rig.parts, letter_limit=replace(rig.parts.letter_limit, letters=5))

    assert rig.run() == RunState.COMPLETED
    assert rig.customers.get("acme").is_active
