"""What waits for another entity's link, and what is due but may gather, whichever store it is asked of."""

from __future__ import annotations

import threading

import pytest
from support.builders import NOW, a_link, a_record, after, an_entity

from common.domain.events import EventState
from common.domain.gathering import Gathering
from common.domain.writes import EventOutcome, SliceOutcome
from common.storage.outcomes import record_outcome


def waits(event, parent, until):
    outcome = EventOutcome(
        event_id=event.event_id, state=EventState.PENDING, reason="waits", retry_at=until, waits_for=parent
    )
    return SliceOutcome(events=(outcome,))


def linked(*source_ids):
    return SliceOutcome(links=tuple(a_link(an_entity(source_id)) for source_id in source_ids))


def ids(events):
    return [event.entity.source_id for event in events]


def test_an_event_that_waits_for_a_link_is_due_once_that_is_recorded(storage):
    storage.detect(a_record("1"), a_record("2"))
    for event in storage.due():
        parent = an_entity("p1" if event.entity.source_id == "1" else "p2")
        storage.delivery.record("acme", waits(event, parent, after(3600)), NOW)
    asleep = storage.due(after(5))

    storage.delivery.record("acme", linked("p1", "p3"), after(5))

    assert asleep == []
    assert ids(storage.due(after(5))) == ["1"]
    assert sorted(ids(storage.due(after(3600)))) == ["1", "2"], "who is not woken asks by itself"


def test_a_link_that_was_recorded_meanwhile_lets_nobody_wait(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", linked("p1"), NOW)

    storage.delivery.record("acme", waits(event, an_entity("p1"), after(3600)), after(1))

    assert ids(storage.due(after(1))) == ["1"]


def test_an_event_that_was_taken_up_again_is_not_woken_by_what_it_waited_for_before(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", waits(event, an_entity("p1"), after(10)), NOW)
    retry = EventOutcome(event_id=event.event_id, state=EventState.PENDING, retry_at=after(99))
    storage.delivery.record("acme", SliceOutcome(events=(retry,)), after(10))

    storage.delivery.record("acme", linked("p1"), after(11))

    assert storage.due(after(50)) == []


def test_a_link_of_one_customer_wakes_nothing_of_another(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", waits(event, an_entity("p1"), after(3600)), NOW)
    other = SliceOutcome(links=(a_link(an_entity("p1", customer_id="globex")),))

    storage.delivery.record("globex", other, NOW)

    assert storage.due() == []


@pytest.mark.parametrize("storage", ["postgres"], indirect=True)
def test_whoever_begins_to_wait_while_the_link_is_being_recorded_is_due_all_the_same(storage, engine):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    wait = threading.Thread(
        target=storage.delivery.record, args=("acme", waits(event, an_entity("p1"), after(3600)), NOW)
    )
    with engine.begin() as connection:
        record_outcome(connection, "acme", linked("p1"), NOW)
        wait.start()
        wait.join(timeout=0.5)  # without taking turns it would be through by now, and have seen no link
    wait.join()

    assert ids(storage.due()) == ["1"]


def test_only_open_events_are_read_by_their_ids(storage):
    storage.detect(a_record("1"), a_record("2"))
    first, second = storage.due()
    ended = EventOutcome(event_id=first.event_id, state=EventState.APPLIED)
    storage.delivery.record("acme", SliceOutcome(events=(ended,)), NOW)
    wanted = [first.event_id, second.event_id, 10_000]

    assert [event.event_id for event in storage.delivery.read_events("acme", wanted)] == [second.event_id]
    assert storage.delivery.read_events("globex", wanted) == []


def test_the_newest_event_tells_how_an_entity_stands(storage):
    storage.detect(a_record("1"), a_record("2"))
    for event in storage.due():
        ended = EventOutcome(event_id=event.event_id, state=EventState.SKIPPED)
        storage.delivery.record("acme", SliceOutcome(events=(ended,)), NOW)
    storage.detect(a_record("2", at=after(1), phone="2"), run_id="run2")

    found = storage.delivery.newest_states([an_entity("1"), an_entity("2"), an_entity("3")])

    assert found == {an_entity("1"): EventState.SKIPPED, an_entity("2"): EventState.PENDING}


def test_what_gathers_is_counted_by_kind_and_nothing_of_it_is_taken(storage):
    storage.detect(*(a_record(str(number)) for number in range(7)))  # without a checkpoint yet: a backfill
    storage.start("run2")
    storage.finish("run2", position=NOW)
    storage.detect(a_record("20"), run_id="run3", now=after(3))

    assert storage.delivery.gathering("acme", after(4), 100) == Gathering(
        count=8, live_since=after(3), backfill_since=NOW
    )
    assert storage.delivery.gathering("acme", after(4), 3).count >= 3
    assert storage.delivery.gathering("globex", after(4), 100) == Gathering(count=0)
    assert len(storage.due(after(4))) == 8


def test_what_comes_again_is_urgent_and_what_is_not_due_does_not_count(storage):
    storage.detect(a_record("1"), a_record("2"))
    first, _ = storage.due()
    retry = EventOutcome(event_id=first.event_id, state=EventState.PENDING, retry_at=after(10))
    storage.delivery.record("acme", SliceOutcome(events=(retry,)), NOW)

    before, then = (storage.delivery.gathering("acme", after(seconds), 100) for seconds in (9, 10))

    assert (before.count, before.is_urgent) == (1, False)
    assert (then.count, then.is_urgent) == (2, True)


def test_the_defects_of_an_event_are_counted_apart_from_its_attempts(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    for defects in (0, 1):
        outcome = EventOutcome(event_id=event.event_id, state=EventState.PENDING, attempts=1, defects=defects)
        storage.delivery.record("acme", SliceOutcome(events=(outcome,)), NOW)

    (again,) = storage.due()
    assert (again.attempts, again.defects) == (2, 1)
