"""An outage costs no attempts; what fails by itself does; and neither keeps others waiting."""

from __future__ import annotations

import pytest
from support.builders import NOW, after, an_entity
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.customers import CustomerStatus
from common.domain.errors import RateLimited, RecordRefused, SystemUnavailable, UnknownOutcome
from common.domain.writes import Postponed
from common.storage.memory.attempts import MemoryAttempts
from processor.verdicts import GAVE_UP, TRANSIENT_ATTEMPTS

HOUR = 3600
TROUBLES = {
    "503": SystemUnavailable("customer acme: destination: 503", sent=True, status=503),
    "unreachable": SystemUnavailable("customer acme: destination: ConnectError", sent=False),
    "silence": UnknownOutcome("customer acme: destination: ReadTimeout"),
}


class Faulty(PretendedDestination):
    """Fails until a moment, and for some entities always."""

    def __init__(self, **options):
        self.trouble = options.pop("trouble", TROUBLES["503"])
        self.down_until = options.pop("down_until", NOW)
        self.breaks = options.pop("breaks", set())
        self.clock = None
        super().__init__(**options)

    def apply(self, writes):
        ids = {write.entity.source_id for write in writes}
        if self.clock.now() < self.down_until or ids & self.breaks:
            self.requests.append((writes[0].operation, sorted(ids)))
            raise self.trouble
        return super().apply(writes)

    def look(self, writes, since):
        if self.clock.now() < self.down_until:
            raise self.trouble
        return super().look(writes, since)


def rig_of(destination, *, are_linked=False, ids=(), **options):
    """`are_linked`: these are there already, so that what comes of them next are updates, which nobody looks for."""
    rig = ProcessorRig(destination, **options)
    destination.clock = rig.clock
    breaks, destination.breaks = destination.breaks, set()
    if are_linked:
        rig.detect(*ids)
        rig.settle()
    destination.breaks = breaks
    return rig


def attempts_of(rig):
    events = [event.event_id for event in rig.tables.events]
    return MemoryAttempts(rig.tables).attempts_of("acme", events)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("are_linked", [False, True])
def test_an_outage_of_an_hour_costs_no_attempts_and_all_is_applied_after_it(trouble, size, are_linked):
    ids = [str(number) for number in range(12)]
    rig = rig_of(Faulty(size=size, trouble=TROUBLES[trouble]), are_linked=are_linked, ids=ids, partitions=4)
    rig.destination.down_until = after(HOUR)
    rig.detect(*ids, phone="2")

    rig.settle()

    assert rig.states() == {"applied": 24 if are_linked else 12}
    assert set(rig.attempts()) == {0}
    assert len(rig.destination.contacts) == 12
    assert all(len(people) == 1 for people in rig.destination.contacts.values())
    assert (rig.clock.now() - NOW).total_seconds() < HOUR + 20 * 60
    told = [attempt for kept in attempts_of(rig).values() for attempt in kept]
    assert told, "what was tried in the outage is known"
    assert not any(attempt.is_counted for attempt in told)


@pytest.mark.parametrize("size", [1, 100])
def test_an_event_that_fails_alone_is_a_dead_letter_after_so_many_tries(size):
    rig = rig_of(Faulty(size=size, breaks={"3"}))
    rig.detect(*(str(number) for number in range(6)))

    rig.settle()

    (letter,) = rig.tables.dead_letters
    assert (letter.entity, letter.reason, letter.attempts) == (an_entity("3"), GAVE_UP, TRANSIENT_ATTEMPTS)
    assert (rig.clock.now() - NOW).total_seconds() > 6 * HOUR
    assert rig.states() == {"applied": 5, "dead_lettered": 1}


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("broken", ["0", "3"])
@pytest.mark.parametrize("are_linked", [False, True])
def test_an_event_that_fails_holds_up_its_successors_and_nobody_else(size, broken, are_linked):
    destination = Faulty(size=size, breaks={broken})
    rig = rig_of(destination, are_linked=are_linked, ids="012345")
    rig.detect(*"012345", phone="2")
    rig.settle_until(after(20 * 60))
    rig.detect(broken, phone="3")
    rig.detect("6", phone="3")
    rig.settle_until(after(50 * 60))

    there = {entity.source_id for entity, (person, *_) in destination.contacts.items() if person.phone in ("2", "3")}
    assert there == set("0123456") - {broken}
    destination.breaks.clear()
    rig.settle()
    assert set(rig.states()) <= {"applied", "superseded"}
    last = 3 if are_linked else 2
    assert [version for source_id, version in destination.landed if source_id == broken] == [1, last][not are_linked :]


class BreaksLookUps(Faulty):
    """For one person the question whether it is there fails always."""

    def match(self, writes):
        if any(write.entity.source_id == "3" for write in writes):
            raise self.trouble
        return super().match(writes)


@pytest.mark.parametrize("trouble", ["503", "silence"])
@pytest.mark.parametrize("size", [1, 100])
def test_a_person_whose_look_up_fails_holds_up_nobody_else(size, trouble):
    rig = rig_of(BreaksLookUps(size=size, trouble=TROUBLES[trouble]), partitions=1)
    ids = [str(number) for number in range(12)]
    rig.detect(*ids)

    rig.settle_until(after(5 * 60))

    assert {entity.source_id for entity in rig.destination.contacts} == set(ids) - {"3"}
    assert set(rig.attempts()) == {0}, "nothing of it was tried"


class RefusesLookUps(Faulty):
    """The question whether they are there is refused for some people."""

    refused_for: frozenset[str] = frozenset("3")
    asked = 0

    def match(self, writes):
        self.asked += 1
        if any(write.entity.source_id in self.refused_for for write in writes):
            raise RecordRefused("customer acme: Query: 400", reason="http_400", status=400)
        return super().match(writes)


@pytest.mark.parametrize("size", [1, 100])
def test_a_person_whose_look_up_is_refused_is_a_dead_letter_and_the_others_are_written(size):
    rig = rig_of(RefusesLookUps(size=size), partitions=1)
    ids = [str(number) for number in range(12)]
    rig.detect(*ids)

    rig.settle_until(after(60))

    assert {entity.source_id for entity in rig.destination.contacts} == set(ids) - {"3"}
    (letter,) = rig.tables.dead_letters
    assert (letter.entity.source_id, letter.reason, letter.status) == ("3", "http_400", 400)
    assert rig.customers.get("acme").is_active


def test_a_destination_that_refuses_all_look_ups_is_no_records_fault_and_is_soon_left_alone():
    destination = RefusesLookUps(size=100)
    destination.refused_for = frozenset(map(str, range(100)))
    rig = rig_of(destination, partitions=1)
    rig.detect(*map(str, range(100)))

    rig.settle_until(after(60))

    assert rig.customers.get("acme").status is CustomerStatus.PAUSED
    assert rig.states() == {"pending": 100}
    assert destination.asked < 20


def test_a_server_error_that_says_when_to_come_back_is_obeyed():
    told = SystemUnavailable("customer acme: destination: 503", sent=True, status=503, retry_at=after(300))
    rig = rig_of(Faulty(trouble=told, down_until=after(1)))
    rig.detect("1")
    rig.deliver_all()
    rig.detect("2")
    rig.deliver_all()

    assert rig.destination.requests == [("create", ["1"])], "the other one is not asked for either"
    assert rig.customers.get("acme").parked_until == after(300)
    rig.settle()
    assert rig.states() == {"applied": 2}
    (attempt,) = attempts_of(rig)[1]
    assert (attempt.parked_until, attempt.retry_at, attempt.status) == (after(300), after(300), 503)
    assert (attempt.error, attempt.verdict, attempt.slice_id != "") == ("SystemUnavailable", "retry", True)


def test_a_refusal_leaves_an_attempt_with_its_field_and_status_and_no_personal_data():
    rig = ProcessorRig(PretendedDestination(poison={"2"}))
    rig.detect(*"123")
    rig.settle()

    ((attempt,),) = attempts_of(rig).values()
    assert (attempt.error, attempt.status, attempt.field) == ("RecordRefused", 422, "email")
    assert (attempt.verdict, attempt.is_counted, attempt.retry_at) == ("dead_letter", True, None)
    assert "said so" not in attempt.message


def test_what_is_refused_before_it_is_sent_leaves_an_attempt_too():
    rig = ProcessorRig()
    rig.detect("1", last_name="")
    rig.settle()

    ((attempt,),) = attempts_of(rig).values()
    assert (attempt.error, attempt.field, attempt.trace_id) == ("record_invalid", "last_name", "t")


def test_what_a_limit_puts_off_is_parked_and_what_the_destination_puts_off_waits():
    limit = RateLimited("customer acme: destination: 429: ada@example.org", until=after(90))
    answers = {"1": [Postponed(reason="it was just made", until=after(200))]}
    rig = ProcessorRig(PretendedDestination(failures=[(limit, False)], answers=answers))
    rig.detect("1")
    rig.settle()

    ((parked, postponed),) = attempts_of(rig).values()
    assert (parked.verdict, parked.parked_until, parked.retry_at, parked.status) == ("park", after(90), None, 429)
    assert parked.message == "customer acme: destination: 429: [e-mail]"
    assert (postponed.verdict, postponed.retry_at, postponed.number) == ("postponed", after(200), 2)
    assert not parked.is_counted


def test_after_an_outage_one_that_goes_on_failing_is_not_forever_the_one_that_is_tried():
    rig = rig_of(Faulty(size=1), are_linked=True, ids="01")
    rig.destination.down_until, rig.destination.breaks = after(4 * HOUR), {"0"}
    rig.detect(*"01", phone="2")

    rig.settle_until(after(4 * HOUR + 30 * 60))

    assert rig.destination.landed[-1] == ("1", 2)
