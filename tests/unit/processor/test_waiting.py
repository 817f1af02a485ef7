"""What hangs on another entity goes after it: it waits, is woken, says for whom, and does not wait for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOW, a_link, a_person, an_entity, an_event
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.errors import PermanentError
from common.domain.events import Action, EventState
from common.domain.people import Person
from processor.handlers import registry
from processor.handlers.decisions import Remove, Upsert
from processor.handlers.reading import read
from processor.pipeline import Work
from processor.steps.parents import parents_linked

DAY = 86_400


@pytest.fixture(autouse=True)
def badges(monkeypatch):
    """A resource whose records hang on the user whom their id names."""

    def badge_changed(event):
        person = read(Person, event)
        if event.action == Action.DELETE:
            return Remove(desired=person)
        return Upsert(desired=person, needs=(an_entity(event.entity.source_id.split(":")[1]),))

    monkeypatch.setattr("processor.steps.handle.HANDLERS", {**registry.HANDLERS, "badges": badge_changed})
    monkeypatch.setattr("processor.steps.read.HANDLERS", {**registry.HANDLERS, "badges": badge_changed})


def a_badge(user):
    return an_entity(f"b:{user}", resource="badges")


def payload(user):
    return a_person(email=f"b{user}@example.org").to_body()


def badge_of(rig, user, *, partition=0, **changes):
    rig.put(a_badge(user), version=1, partition=partition, payload=payload(user), **changes)


def row_of(rig, entity):
    return next(row for row in rig.tables.rows.events.values() if row.event.entity == entity)


def test_what_hangs_on_another_is_applied_after_it_whichever_comes_first():
    rig = ProcessorRig()
    badge_of(rig, "1")
    rig.deliver_all()
    waiting = row_of(rig, a_badge("1"))
    rig.detect("1")
    rig.deliver_all()

    assert (waiting.event.state, waiting.event.attempts, waiting.waits_for) == ("pending", 0, an_entity("1"))
    assert rig.destination.landed == [("1", 1), ("b:1", 1)]
    assert rig.states() == {"applied": 2}


def test_it_is_woken_in_another_partition_by_the_delivery_that_records_the_link():
    rig = ProcessorRig(PretendedDestination(size=1))
    badge_of(rig, "1", partition=3)
    rig.deliver_all()
    rig.detect("1")

    assert rig.deliver()
    assert rig.parts.store.due_partitions("acme", rig.clock.now()) == [3], "so that the task publishes one more"


def test_a_removal_waits_for_nobody():
    rig = ProcessorRig()
    badge_of(rig, "1", action=Action.DELETE)
    rig.deliver_all()

    assert rig.states() == {"skipped": 1}


def test_a_newer_change_of_what_waits_takes_its_place_when_it_is_woken():
    rig = ProcessorRig()
    badge_of(rig, "1")
    rig.deliver_all()
    rig.put(a_badge("1"), version=2, payload=payload("2"))
    rig.deliver_all()
    rig.detect("1")
    rig.deliver_all()

    assert rig.destination.landed == [("1", 1), ("b:1", 2)]
    assert rig.states() == {"superseded": 1, "applied": 2}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "which has not been detected"),
        (EventState.PENDING, "which is on its way"),
        (EventState.SUBMITTED, "which is held by the destination"),
        (EventState.DEAD_LETTERED, "which is a dead letter"),
        (EventState.SKIPPED, "which was skipped"),
        (EventState.DISCARDED, "which was discarded"),
        (EventState.APPLIED, "which has left no link"),
    ],
)
def test_the_reason_says_for_whom_it_waits_and_how_that_one_stands(state, said):
    parent = an_entity("7")
    work = Work(entity=a_badge("7"), event=an_event(entity=a_badge("7")), needs=(parent,))
    end = parents_linked(work, NOW, {} if state is None else {parent: state})

    assert end.reason == f"waits for users/7, {said}"
    assert (end.waits_for, end.state) == (parent, EventState.PENDING)


def test_the_first_that_is_missing_is_waited_for_and_with_all_there_nobody_is():
    one, two = an_entity("1"), an_entity("2")
    work = Work(entity=a_badge("1"), event=an_event(entity=a_badge("1")), needs=(one, two))

    assert parents_linked(work.with_parents({one: a_link(one)}), NOW, {}).waits_for == two
    assert parents_linked(work.with_parents({one: a_link(one), two: a_link(two)}), NOW, {}).needs == (one, two)


@pytest.mark.parametrize("last_name", ["", "Quonox"])
def test_after_three_days_without_its_parent_it_is_a_dead_letter_that_names_parent_and_mend(last_name):
    """A parent that is a dead letter itself, and one that never came."""
    rig = ProcessorRig()
    badge_of(rig, "1")
    if not last_name:
        rig.detect("1", last_name="")
    rig.deliver_all()
    rig.clock.advance(3 * DAY - 1)
    rig.deliver_all()
    early = row_of(rig, a_badge("1")).event.state
    rig.clock.advance(DAY)
    rig.deliver_all()

    assert early == "pending"
    (letter,) = [letter for letter in rig.tables.dead_letters if letter.entity == a_badge("1")]
    assert (letter.reason, letter.field) == ("parent_missing", "users")
    assert "it needs users/1, which" in letter.message
    assert letter.message.endswith("then replay")


@pytest.mark.parametrize("state", [EventState.PENDING, EventState.SUBMITTED])
def test_a_parent_that_is_on_its_way_is_waited_for_however_long(state):
    """A customer that was paused for a week has everything to do at once."""
    parent = an_entity("7")
    work = Work(entity=a_badge("7"), event=an_event(entity=a_badge("7")), needs=(parent,))

    assert parents_linked(work, NOW + timedelta(days=9), {parent: state}).waits_for == parent
    with pytest.raises(PermanentError):
        parents_linked(work, NOW + timedelta(days=9), {parent: EventState.SKIPPED})


def test_one_whose_waking_was_missed_asks_by_itself_ever_less_often():
    rig = ProcessorRig()
    badge_of(rig, "1")
    rig.deliver_all()
    with rig.tables.transaction() as rows:
        rows.links[an_entity("1")] = a_link(an_entity("1"))
    rig.clock.advance(1)
    rig.deliver_all()

    assert rig.states() == {"applied": 1}
