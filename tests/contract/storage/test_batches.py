"""Batches of replays: the same over PostgreSQL and over the twin."""

from __future__ import annotations

import pytest
from support.builders import NOW, a_link, a_record, after, an_entity

from common.domain.batches import BatchOutcome, BatchState
from common.domain.errors import CustomerInvalid
from common.domain.events import EventState, Origin
from common.domain.letters import LetterFilter
from common.domain.writes import EventOutcome, SliceOutcome

LATER = after(600)


def numbers(desk, **which):
    return [letter.dead_letter_id for letter in desk.letters.find(LetterFilter(**which), limit=100)]


def origins(desk, now):
    return {event.origin for event in desk.storage.due(now)}


def test_a_batch_puts_its_letters_to_work_a_portion_at_a_time(desk):
    desk.refuse(*"12345")
    desk.start(*numbers(desk), portion=2, per_minute=60)

    assert desk.batches.feed("acme", "again", after(1)).applied == 2
    assert desk.event_states().count("pending") == 2
    assert origins(desk, after(1)) == {Origin.BATCH}
    assert desk.counts() == {"on_the_way": 2, "waiting": 3}


def test_a_portion_comes_when_the_rate_allows_and_what_is_on_its_way_leaves_room(desk):
    desk.refuse(*"12345")
    desk.start(*numbers(desk), portion=2, per_minute=60)
    desk.batches.feed("acme", "again", NOW)

    desk.end("1", "2", now=NOW)
    assert desk.batches.feed("acme", "again", after(1)).applied == 0, "two letters at 60 a minute are two seconds"
    assert desk.batches.feed("acme", "again", after(2)).applied == 2
    assert desk.batches.feed("acme", "again", after(60)).applied == 0, "two are on their way still"


def test_what_waits_for_another_entity_takes_no_room(desk):
    desk.refuse(*"123")
    desk.start(*numbers(desk), portion=1, per_minute=60)
    desk.batches.feed("acme", "again", NOW)
    (event,) = desk.storage.due(NOW)
    waits = EventOutcome(
        event_id=event.event_id, state=EventState.PENDING, retry_at=after(900), waits_for=an_entity("9"), attempts=0
    )
    desk.storage.delivery.record("acme", SliceOutcome(events=(waits,)), NOW)

    assert desk.batches.feed("acme", "again", after(60)).applied == 1


def test_a_batch_is_over_when_nothing_waits_and_nothing_is_on_its_way(desk):
    desk.refuse("1")
    desk.start(*numbers(desk))
    desk.batches.feed("acme", "again", NOW)
    assert not desk.batches.feed("acme", "again", after(60)).is_completed

    desk.end("1", now=after(60))

    assert desk.batches.feed("acme", "again", after(120)).is_completed
    batch = desk.batches.get("acme", "again")
    assert (batch.state, batch.finished_at) == (BatchState.COMPLETED, after(120))
    assert desk.batches.due(LATER) == []


def test_a_letter_is_put_to_work_once_in_a_batch_and_one_that_fails_again_names_it(desk):
    desk.refuse("1")
    (first,) = numbers(desk)
    desk.start(first, first)
    desk.batches.feed("acme", "again", NOW)
    desk.fail("1", now=after(1))

    assert desk.batches.feed("acme", "again", after(60)).applied == 0
    (again,) = desk.letters.find(LetterFilter(), limit=10)
    assert (again.batch, again.dead_letter_id > first) == ("again", True)
    assert desk.counts() == {"failed_again": 1}
    (item,) = desk.batches.items("acme", "again")
    assert (item.dead_letter_id, item.outcome, item.again) == (first, BatchOutcome.FAILED_AGAIN, again.dead_letter_id)


def test_a_letter_names_only_the_batch_that_its_own_failure_came_of(desk):
    desk.refuse("1")
    (first,) = numbers(desk)
    desk.start(first, name="one")
    desk.batches.feed("acme", "one", NOW)
    desk.fail("1", now=after(1))
    (second,) = numbers(desk)
    desk.start(second, name="two", now=after(2))
    desk.batches.feed("acme", "two", after(2))
    desk.fail("1", now=after(3))

    assert [letter.batch for letter in desk.letters.find(LetterFilter(state=None), limit=10)] == ["", "one", "two"]
    assert desk.counts("one") == desk.counts("two") == {"failed_again": 1}


def test_what_is_fed_is_resolved_by_the_name_of_its_batch(desk):
    desk.refuse("1")
    (number,) = numbers(desk)
    desk.start(number)
    desk.batches.feed("acme", "again", NOW)

    letter, _ = desk.letters.show("acme", number)
    assert (letter.state, letter.resolution, letter.resolved_at) == ("replayed", "batch again", NOW)


def test_a_letter_that_was_resolved_before_its_turn_is_left_out(desk):
    desk.refuse("1", "2")
    first, second = numbers(desk)
    desk.start(first, second)
    desk.letters.discard("acme", [first], why="gone", actor="ada", now=NOW)

    assert desk.batches.feed("acme", "again", NOW).applied == 1
    assert desk.counts() == {"left_out": 1, "on_the_way": 1}
    assert desk.event_states() == ["discarded", "pending"]


@pytest.mark.parametrize("newer", ["pending", "dead_lettered", "applied"])
def test_a_newer_event_of_the_entity_stands_for_an_old_letter_and_nothing_old_is_sent(desk, newer):
    desk.refuse("1", first_name="Old")
    (old,) = numbers(desk)
    desk.storage.detect(a_record("1", at=after(60), first_name="New"), run_id="run2", now=after(60))
    if newer == "dead_lettered":
        desk.fail("1", now=after(60))
    if newer == "applied":
        (event,) = desk.storage.due(after(60))
        done = EventOutcome(event_id=event.event_id, state=EventState.APPLIED)
        desk.storage.delivery.record("acme", SliceOutcome(events=(done,)), after(60))
    desk.start(old, now=after(70))

    desk.batches.feed("acme", "again", after(70))

    assert desk.event_states() == ["superseded", newer]
    assert "by version 2" in desk.storage.events()[0].reason
    assert desk.counts() == {"superseded": 1}


def test_a_newer_event_that_a_person_decided_against_stands_for_nothing(desk):
    desk.refuse("1")
    (old,) = numbers(desk)
    desk.refuse("1", now=after(60), first_name="New")
    new = max(numbers(desk))
    desk.letters.discard("acme", [new], why="a slip", actor="ada", now=after(61))
    desk.start(old, now=after(70))

    desk.batches.feed("acme", "again", after(70))

    assert desk.event_states() == ["pending", "discarded"]


def test_what_was_unreadable_is_read_again_all_at_once_and_names_the_batch_if_it_still_is(desk):
    desk.broken("b1", "b2", "b3")
    desk.start(*numbers(desk), portion=1)

    assert desk.batches.feed("acme", "again", NOW).read_again == ("users",)
    assert desk.counts() == {"read_again": 3}

    desk.broken("b1", now=after(60), run_id="run2", reading=2)
    assert [letter.batch for letter in desk.letters.find(LetterFilter(), limit=10)] == ["again"]
    assert desk.counts() == {"failed_again": 1, "read_again": 2}


def test_a_paused_batch_feeds_nothing_until_it_is_resumed(desk):
    desk.refuse("1", "2")
    desk.start(*numbers(desk), portion=1)

    assert desk.batches.change("acme", "again", BatchState.PAUSED, actor="ada", why="lunch", now=NOW)
    assert desk.batches.feed("acme", "again", NOW).applied == 0
    assert desk.batches.change("acme", "again", BatchState.ACTIVE, actor="ada", why="", now=NOW)
    assert desk.batches.feed("acme", "again", NOW).applied == 1
    actions = [(action, detail) for _, action, detail in desk.storage.history() if action.startswith("batch.")]
    assert actions == [
        ("batch.started", "again: 2 dead letters"), ("batch.paused", "again: lunch"), ("batch.active", "again"),
    ]  # fmt: skip


def test_a_cancelled_batch_leaves_what_waits_open_and_cannot_be_resumed(desk):
    desk.refuse("1", "2")
    first, second = numbers(desk)
    desk.start(first, second, portion=1)
    desk.batches.feed("acme", "again", NOW)

    assert desk.batches.change("acme", "again", BatchState.CANCELLED, actor="ada", why="", now=NOW)

    assert not desk.batches.change("acme", "again", BatchState.ACTIVE, actor="ada", why="", now=NOW)
    assert desk.batches.feed("acme", "again", LATER).applied == 0
    assert numbers(desk) == [second]
    assert desk.counts() == {"on_the_way": 1, "waiting": 1}


@pytest.mark.parametrize("stop", ["pause", "park", "pause_applying"])
def test_nothing_is_fed_of_a_customer_that_is_not_applied_now(desk, stop):
    desk.refuse("1")
    desk.start(*numbers(desk))
    assert [due.name for due in desk.batches.due(NOW)] == ["again"]

    if stop == "park":
        desk.customers.park("acme", LATER, "a limit")
    else:
        getattr(desk.customers, stop)("acme", "why")

    assert desk.batches.due(NOW) == []
    assert desk.batches.feed("acme", "again", NOW).applied == 0
    desk.customers.resume("acme")
    assert desk.batches.feed("acme", "again", NOW).applied == 1


def test_a_name_is_taken_once_by_a_customer(desk):
    desk.refuse("1")
    desk.start(*numbers(desk))
    desk.start(customer_id="globex")

    with pytest.raises(CustomerInvalid, match="'again' is taken"):
        desk.start()
    assert [batch.customer_id for batch in desk.batches.list(limit=10)] == ["acme", "globex"]
    assert [batch.name for batch in desk.batches.list("acme", limit=10)] == ["again"]
    assert desk.batches.get("acme", "other") is None


def test_an_applied_newer_version_closes_a_letter_before_its_turn(desk):
    desk.refuse("1")
    (old,) = numbers(desk)
    desk.start(old)
    desk.storage.detect(a_record("1", at=after(60), first_name="New"), run_id="run2", now=after(60))
    link = a_link(an_entity("1"), applied_version=2)
    desk.storage.delivery.record("acme", SliceOutcome(links=(link,)), after(61))

    desk.batches.feed("acme", "again", after(62))

    assert desk.counts() == {"left_out": 1}
