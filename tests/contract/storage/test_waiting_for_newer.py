"""What waits for a decision or for what it says to be final, and what a newer event of its entity does to it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text
from support.builders import NOW, a_broken_record, a_page, a_record, after, an_entity
from support.turns import is_waiting_or_done
from support.waiting import wait_until

from common.domain.events import EventState
from common.domain.writes import EventOutcome, SliceOutcome
from common.storage.outcomes import record_outcome
from common.storage.tables import runs

DAY = 86_400


def waits(event, *, until_newer=True):
    outcome = EventOutcome(
        event_id=event.event_id, state=EventState.PENDING, reason="held", retry_at=after(DAY), until_newer=until_newer
    )
    return SliceOutcome(events=(outcome,))


@pytest.fixture
def held(storage):
    """One event that waits for a day, or until there is a newer one."""
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", waits(event), NOW)
    return event


def versions(found):
    return sorted((event.entity.source_id, event.version) for event in found)


def test_what_waits_until_there_is_a_newer_one_is_due_at_its_time_at_the_latest(storage, held):
    storage.detect(a_record("2"), run_id="run2", now=after(5))

    assert versions(storage.due(after(5))) == [("2", 1)], "another entity's event is none of its own"
    assert ("1", 1) in versions(storage.due(after(DAY)))


def test_a_newer_event_is_due_with_the_older_one_that_waited_until_then(storage, held):
    storage.detect(a_record("1", at=after(1), phone="2"), run_id="run2", now=after(5))

    assert versions(storage.due(after(5))) == [("1", 1), ("1", 2)]


def test_a_newer_event_waits_for_an_older_one_that_waits_for_anything_else(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", waits(event, until_newer=False), NOW)

    storage.detect(a_record("1", at=after(1), phone="2"), run_id="run2", now=after(5))

    assert storage.due(after(5)) == []


def test_what_was_taken_up_again_since_is_not_made_due_by_a_newer_one(storage, held):
    storage.delivery.record("acme", waits(held, until_newer=False), after(3))

    storage.detect(a_record("1", at=after(1), phone="2"), run_id="run2", now=after(5))

    assert storage.due(after(5)) == []


def test_what_is_applied_again_is_due_with_what_waited_until_then(storage, held):
    storage.delivery.apply_again([an_entity("1"), an_entity("unheard-of")], after(5))

    assert versions(storage.due(after(5))) == [("1", 1), ("1", 2)]


def test_a_newer_one_that_cannot_be_read_makes_nothing_due(storage, held):
    storage.detect(broken=[a_broken_record("1")], run_id="run2", now=after(5))

    assert storage.due(after(5)) == []


def test_what_is_to_wait_while_there_is_a_newer_one_already_ends_as_superseded(storage):
    storage.detect(a_record("1"), a_record("2"))
    found = storage.due()
    storage.detect(a_record("1", at=after(1), phone="2"), run_id="run2", now=after(1))
    storage.detect(a_record("1", at=after(2), phone="3"), run_id="run3", now=after(2))

    for event in found:
        storage.delivery.record("acme", waits(event), after(3))

    assert versions(storage.due(after(3))) == [("1", 2), ("1", 3)]
    ended, asleep, _, newest = storage.events()
    assert (ended.state, ended.finished_at) == ("superseded", after(3))
    assert ended.reason == f"by version 3 (event {newest.event_id})"
    assert (asleep.state, asleep.retry_at) == ("pending", after(DAY))


def test_a_newer_one_that_has_ended_supersedes_nothing(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.detect(broken=[a_broken_record("1")], run_id="run2", now=after(1))

    storage.delivery.record("acme", waits(event), after(3))

    assert [row.state for row in storage.events()] == ["pending", "dead_lettered"]


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_where_every_event_counts_none_is_superseded(storage, engine):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.detect(a_record("1", at=after(1), phone="2"), run_id="run2", now=after(1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE events SET coalesce = false WHERE version = 2"))

    storage.delivery.record("acme", waits(event), after(3))

    assert [row.state for row in storage.events()] == ["pending", "pending"]


def test_a_newer_event_of_one_customer_makes_nothing_of_another_due(storage, held):
    for number in (2, 3):
        record = a_record("1", at=after(number), phone=str(number))
        storage.detect(record, run_id=f"run{number}", customer_id="globex", now=after(number))

    assert storage.due(after(5)) == []


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
@pytest.mark.parametrize("save", ["a page", "apply again"])
def test_a_newer_event_that_is_saved_while_an_older_one_begins_to_wait_wakes_it(storage, engine, save):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    saving = threading.Thread(target=page_saver(storage) if save == "a page" else again_saver(storage))
    with engine.begin() as connection:
        record_outcome(connection, "acme", waits(event), after(1))
        saving.start()
        wait_until(lambda: is_waiting_or_done(engine, saving), seconds=5, what="it to wait for its turn")
    saving.join(5)

    assert versions(storage.due(after(5))) == [("1", 1), ("1", 2)]


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_whoever_begins_to_wait_while_a_newer_event_is_being_saved_does_not_wait(storage, engine):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    saving = threading.Thread(target=page_saver(storage))
    waiting = threading.Thread(target=storage.delivery.record, args=("acme", waits(event), after(1)))
    with engine.begin() as connection:
        # What a page changes last: when it waits for that, its event is there and not committed.
        connection.execute(select(runs).where(runs.c.run_id == "run2").with_for_update())
        for count, thread in enumerate((saving, waiting), start=1):
            thread.start()
            wait_until(lambda: is_waiting_or_done(engine, thread, count), seconds=5, what="it to wait")  # noqa: B023
    for thread in (saving, waiting):
        thread.join(5)

    assert versions(storage.due(after(5))) == [("1", 2)]


def page_saver(storage):
    progress = storage.start("run2", now=after(1)).progress
    page = a_page(progress, a_record("1", at=after(1), phone="2"), now=after(1))
    return lambda: storage.detection.save_page(page, progress)


def again_saver(storage):
    return lambda: storage.delivery.apply_again([an_entity("1")], after(1))
