"""What is one transaction on the real store: if any part of it cannot be written, nothing of it was."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy.exc import DataError
from support.builders import NOW, a_link, a_page, a_record, after, an_entity, an_intent
from support.turns import is_waiting_or_done
from support.waiting import wait_until

from common.domain.events import EventState
from common.domain.resources import USERS
from common.domain.writes import EventOutcome, SliceOutcome, WriteOutcome, WriteState
from common.storage.again import put_again

pytestmark = pytest.mark.parametrize("storage", ["postgres"], indirect=True)

#: No text column takes it: whatever comes with it fails in the middle of its transaction.
UNSTORABLE = "\x00"


def test_a_page_that_fails_while_it_is_saved_leaves_neither_progress_nor_cursor(storage):
    progress = storage.start("run1").progress
    page = a_page(progress, a_record("1"), a_record(UNSTORABLE), cursor="c1")

    with pytest.raises(DataError):
        storage.detection.save_page(page, replace(progress, next_page="p2"))

    again = storage.start("run2")
    assert (again.progress.next_page, again.checkpoint.cursor) == (None, "")
    assert storage.events() == []


def test_an_outcome_whose_link_cannot_be_recorded_ends_neither_its_event_nor_its_write(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.begin([an_intent("w1", event_id=event.event_id)])

    with pytest.raises(DataError):
        storage.delivery.record("acme", applied(event, a_link(destination_id=UNSTORABLE)), NOW)

    assert [row.state for row in storage.events()] == ["pending"]
    assert storage.delivery.unresolved([an_entity("1")])[an_entity("1")].state is WriteState.OPEN


def test_an_outcome_whose_event_cannot_be_recorded_leaves_no_link(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.begin([an_intent("w1", event_id=event.event_id)])

    with pytest.raises(DataError):
        storage.delivery.record("acme", applied(event, a_link(), reason=UNSTORABLE), NOW)

    assert storage.delivery.links([an_entity("1")]) == {}


def applied(event, link, **changes):
    return SliceOutcome(
        events=(EventOutcome(event_id=event.event_id, state=EventState.APPLIED, **changes),),
        writes=(WriteOutcome(write_id="w1", state=WriteState.APPLIED),),
        links=(link,),
    )


def test_a_page_that_meets_an_entity_which_is_being_applied_again_gives_it_the_version_after_that(storage, engine):
    storage.detect(a_record("1"))
    progress = storage.start("run2", now=after(1)).progress
    page = a_page(progress, a_record("1", at=after(1), phone="2"), now=after(1))
    saving = threading.Thread(target=storage.detection.save_page, args=(page, progress))
    with engine.begin() as connection:
        put_again(connection, "acme", USERS, ["1"], after(1))
        saving.start()
        wait_until(lambda: is_waiting_or_done(engine, saving), seconds=30, what="it to wait for the entity")
    saving.join(30)

    assert [event.version for event in storage.events()] == [1, 2, 3]
