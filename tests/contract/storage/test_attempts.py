"""What failed or was put off is kept with the outcome it belongs to, bounded for each event."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import NOW, a_record, after, an_attempt

from common.domain.attempts import KEPT_FIRST, KEPT_NEWEST
from common.domain.errors import LockLost
from common.domain.events import EventState
from common.domain.writes import EventOutcome, SliceOutcome, WriteOutcome, WriteState


@pytest.fixture
def event(storage):
    storage.detect(a_record("1"))
    (found,) = storage.due()
    return found


def failed(*attempts):
    return SliceOutcome(attempts=attempts)


def numbers(storage, event_id, customer_id="acme"):
    return [each.number for each in storage.attempts.attempts_of(customer_id, [event_id]).get(event_id, ())]


def test_an_attempt_is_read_as_it_was_recorded_with_a_number_of_its_own(storage, event):
    first = an_attempt(event.event_id, field="email", is_counted=True)
    second = an_attempt(event.event_id, at=after(9), verdict="park", retry_at=None, parked_until=after(60), status=429)

    storage.delivery.record("acme", failed(first), NOW)
    storage.delivery.record("acme", failed(second), after(9))

    found = storage.attempts.attempts_of("acme", [event.event_id, 999])
    assert found.keys() == {event.event_id}
    assert list(found[event.event_id]) == [replace(first, number=1), replace(second, number=2)]


def test_several_of_one_event_in_one_outcome_are_numbered_in_their_order(storage, event):
    storage.delivery.record("acme", failed(*(an_attempt(event.event_id, at=after(n)) for n in range(3))), NOW)

    assert numbers(storage, event.event_id) == [1, 2, 3]


def test_of_many_the_first_and_the_newest_are_kept(storage, event):
    made = KEPT_FIRST + KEPT_NEWEST + 7
    for number in range(made):
        storage.delivery.record("acme", failed(an_attempt(event.event_id)), after(number))

    newest = list(range(made - KEPT_NEWEST + 1, made + 1))
    assert numbers(storage, event.event_id) == [*range(1, KEPT_FIRST + 1), *newest]


def test_an_outcome_that_is_not_recorded_leaves_no_attempt(storage, event):
    taken_over = WriteOutcome(write_id="w-of-another", state=WriteState.UNKNOWN)
    outcome = replace(failed(an_attempt(event.event_id)), writes=(taken_over,))

    with pytest.raises(LockLost):
        storage.delivery.record("acme", outcome, NOW)

    assert numbers(storage, event.event_id) == []


def test_no_customer_sees_anothers_attempts(storage, event):
    storage.delivery.record("globex", failed(an_attempt(event.event_id)), NOW)

    assert numbers(storage, event.event_id) == []
    assert numbers(storage, event.event_id, "globex") == [1]


def test_failures_are_counted_apart_from_attempts(storage, event):
    outcome = EventOutcome(event_id=event.event_id, state=EventState.PENDING, failures=1)
    for _ in range(2):
        storage.delivery.record("acme", SliceOutcome(events=(outcome,)), NOW)

    (again,) = storage.due()
    assert (again.attempts, again.failures) == (0, 2)
