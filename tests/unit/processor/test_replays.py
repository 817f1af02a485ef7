"""Batches and the slice: nothing older, and nothing that somebody else has changed, is overwritten."""

from __future__ import annotations

import pytest
from support.builders import a_person, an_entity
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.batches import NewBatch
from common.domain.letters import LetterFilter

ONE = an_entity("1")


class Books(PretendedDestination):
    """What is there of one person may be changed by staff."""

    def edited(self, **values):
        """By staff."""
        self.contacts[ONE][:1] = [a_person(**{"email": "f1@example.org", **values})]

    @property
    def there(self):
        return self.contacts[ONE][0]


@pytest.fixture
def rig():
    """One person is there, and a change of the phone number has become a letter."""
    rig = ProcessorRig(Books())
    rig.detect("1", phone="1")
    rig.deliver_all()
    rig.destination.poison.add("1")
    rig.clock.advance(60)
    rig.detect("1", phone="2")
    rig.deliver_all()
    rig.destination.poison.clear()
    return rig


def numbers(rig):
    return tuple(letter.dead_letter_id for letter in rig.letters.find(LetterFilter(), limit=10))


def start(rig, name="again", **changes):
    new = NewBatch(customer_id="acme", name=name, numbers=numbers(rig), actor="ada", **changes)
    rig.batches.create(new, rig.clock.now())
    return rig.batches.feed("acme", name, rig.clock.now())


def outcomes(rig, name="again"):
    return {str(outcome): count for outcome, count in rig.batches.get("acme", name).counts.items()}


def test_a_letter_of_a_batch_is_applied_where_nobody_has_changed_anything(rig):
    start(rig)
    rig.settle()

    assert rig.destination.there.phone == "2"
    assert outcomes(rig) == {"applied": 1}


def test_what_somebody_else_has_changed_since_is_not_overwritten_and_comes_back_as_a_letter_of_the_batch(rig):
    rig.destination.edited(phone="staff")
    start(rig)
    rig.settle()

    assert rig.destination.there.phone == "staff"
    (letter,) = rig.letters.find(LetterFilter(), limit=10)
    assert (letter.reason, letter.batch) == ("conflict", "again")
    assert "--overwrite" in letter.message
    assert outcomes(rig) == {"failed_again": 1}


def test_it_is_decided_when_it_is_applied_and_not_when_it_was_put_to_work(rig):
    start(rig)
    rig.destination.edited(phone="staff")
    rig.settle()

    assert rig.destination.there.phone == "staff"


def test_a_batch_that_may_overwrite_does(rig):
    rig.destination.edited(phone="staff")
    start(rig, overwrites=True)
    rig.settle()

    assert rig.destination.there.phone == "2"


def test_what_is_there_as_the_letter_says_is_no_conflict(rig):
    rig.destination.edited(phone="2")
    start(rig)
    rig.settle()

    assert outcomes(rig) == {"unchanged": 1}


def test_a_newer_value_that_was_applied_meanwhile_is_not_overwritten(rig):
    start(rig)
    rig.detect("1", phone="3")
    rig.settle()

    assert rig.destination.there.phone == "3"
    assert [version for _, version in rig.destination.landed] == [1, 3]
    assert outcomes(rig) == {"superseded": 1}


def test_a_newer_value_that_was_applied_before_closes_the_letter_unsent(rig):
    rig.batches.create(NewBatch(customer_id="acme", name="late", numbers=numbers(rig), actor="ada"), rig.clock.now())
    rig.detect("1", phone="3")
    rig.settle()
    rig.batches.feed("acme", "late", rig.clock.now())
    rig.settle()

    assert rig.destination.there.phone == "3"
    assert outcomes(rig, "late") == {"left_out": 1}


def test_live_changes_of_a_slice_go_before_letters_of_a_batch(rig):
    start(rig)
    rig.put(an_entity("2"), version=1)
    rig.deliver()

    assert rig.destination.landed == [("1", 1), ("2", 1)], "the letter waits for the next slice"
    rig.settle()
    assert rig.destination.landed[-1] == ("1", 2)
