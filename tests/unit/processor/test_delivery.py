"""One delivery on twins: batches, order, refusals, limits, and who gets a turn."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
from support.builders import after, an_entity
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.breakers import BreakerState
from common.domain.customers import CustomerStatus, System
from common.domain.errors import (
    CustomerInvalid,
    LockLost,
    PermissionMissing,
    RateLimited,
    RecordRefused,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)
from common.storage.memory.locks import MemoryLocks


def test_events_go_in_as_few_requests_as_the_destination_allows():
    rig = ProcessorRig(PretendedDestination(size=4))
    rig.detect(*(str(number) for number in range(10)))
    rig.deliver_all()

    assert [len(ids) for ids in rig.destination.of("create")] == [4, 4, 2]
    assert rig.states() == {"applied": 10}


def test_an_applied_event_leaves_a_link_and_the_next_one_is_an_update():
    rig = ProcessorRig()
    rig.detect("1")
    rig.deliver_all()
    rig.detect("1", phone="7")
    rig.deliver_all()

    link = rig.tables.links[an_entity("1")]
    assert (link.destination_id, link.applied_version) == ("d1", 2)
    assert [kind for kind, _ in rig.destination.requests] == ["create", "update"]
    assert [person.phone for person in rig.destination.contacts[an_entity("1")]] == ["7"]


def test_only_the_newest_of_an_entitys_pending_versions_is_sent():
    rig = ProcessorRig()
    for phone in ("1", "2", "3"):
        rig.detect("1", phone=phone)
    rig.deliver_all()

    assert rig.destination.landed == [("1", 3)]
    assert rig.states() == {"superseded": 2, "applied": 1}


def test_what_the_destination_had_already_is_unchanged():
    rig = ProcessorRig()
    rig.detect("1", phone="1")
    rig.deliver_all()
    rig.detect("1", phone="2")
    rig.detect("1", phone="1")
    rig.deliver_all()

    assert rig.states() == {"applied": 1, "superseded": 1, "unchanged": 1}
    assert len(rig.destination.requests) == 1


def test_there_is_nothing_to_apply_when_nothing_is_due():
    assert not ProcessorRig().deliver()


def test_a_slice_holds_no_more_than_its_events_and_says_that_there_may_be_more():
    rig = ProcessorRig(slice_events=3)
    rig.detect(*"12345")

    assert rig.deliver()
    assert rig.states() == {"applied": 3, "pending": 2}


def test_a_slice_that_lasts_too_long_leaves_the_rest_due():
    rig = ProcessorRig(PretendedDestination(size=1), slice_seconds=10.0)
    rig.detect(*"12345")
    slow = rig.destination.apply

    def apply(writes):
        rig.clock.advance(6)
        return slow(writes)

    rig.destination.apply = apply
    rig.deliver()

    assert rig.states() == {"applied": 2, "pending": 3}


def test_bisecting_leaves_exactly_the_poisoned_record_as_a_dead_letter():
    rig = ProcessorRig(PretendedDestination(poison={"11"}))
    rig.detect(*(str(number) for number in range(16)))
    rig.deliver_all()

    assert rig.states() == {"applied": 15, "dead_lettered": 1}
    (letter,) = rig.tables.dead_letters
    assert (letter.entity, letter.reason) == (an_entity("11"), "http_422")
    assert (letter.field, letter.detail) == ("email", "said so")
    assert all(len(people) == 1 for people in rig.destination.contacts.values())
    assert rig.attempts().count(0) == 15


def test_every_poisoned_record_is_found_however_many_there_are():
    poison = {"0", "1", "7", "15"}
    rig = ProcessorRig(PretendedDestination(poison=poison))
    rig.detect(*(str(number) for number in range(16)))
    rig.deliver_all()

    assert {letter.entity.source_id for letter in rig.tables.dead_letters} == poison
    assert len(rig.destination.contacts) == 12


def test_what_could_only_be_refused_is_not_sent():
    rig = ProcessorRig()
    rig.detect("1", last_name="")
    rig.deliver_all()

    assert rig.states() == {"dead_lettered": 1}
    assert rig.destination.requests == []


def test_a_rate_limit_parks_the_customer_and_counts_no_attempt():
    rig = ProcessorRig(PretendedDestination(failures=[(RateLimited("429", until=after(90)), False)]))
    rig.detect(*"123")
    rig.deliver()

    assert (rig.customers.get("acme").parked_until, rig.states()) == (after(90), {"pending": 3})
    assert rig.attempts() == [0, 0, 0]
    rig.clock.advance(90)
    rig.deliver_all()
    assert rig.states() == {"applied": 3}
    assert rig.destination.of("look") == []


@pytest.mark.parametrize("error", [TokenRejected("401"), PermissionMissing("403")])
def test_a_rejected_token_blocks_the_destination_until_it_is_verified_and_pauses_nobody(error):
    rig = ProcessorRig(PretendedDestination(size=1, failures=[(error, False)]))
    rig.detect(*"123")

    assert not rig.deliver(), "nothing may be published at the tail"
    rig.clock.advance(86_400)
    assert not rig.deliver()
    assert rig.customers.get("acme").is_active
    assert rig.breakers.of("acme")[System.DESTINATION].state is BreakerState.BLOCKED
    assert rig.states() == {"pending": 3}
    assert len(rig.destination.requests) == 1
    assert rig.attempts() == [0, 0, 0]

    rig.breakers.unblock("acme", System.DESTINATION)
    rig.deliver_all()
    assert rig.states() == {"applied": 3}


def test_five_slices_that_meet_an_outage_open_the_breaker_and_park_the_customer_until_one_probe():
    trouble = (SystemUnavailable("gone", sent=False), False)
    rig = ProcessorRig(PretendedDestination(size=1, failures=[trouble] * 6))
    rig.detect(*"1234567")
    for _ in range(5):
        assert rig.deliver()
    parked = rig.customers.get("acme")

    assert (parked.parked_until, len(rig.destination.requests)) == (after(30), 5)
    assert "the destination is in trouble: gone" in parked.parked_reason
    rig.clock.advance(30)
    rig.deliver()
    assert len(rig.destination.requests) == 6, "a probe is one request, and opens it for longer"
    assert rig.customers.get("acme").parked_until == after(30 + 60)
    rig.clock.advance(60)
    rig.deliver()
    assert rig.states() == {"pending": 6, "applied": 1}, "a probe that succeeds sends one batch"
    assert rig.breakers.of("acme") == {}
    rig.settle()
    assert rig.states() == {"applied": 7}


def test_a_slice_that_finds_the_breaker_open_sends_nothing_and_parks_until_the_probe():
    rig = ProcessorRig()
    rig.detect("1")
    for _ in range(5):
        permit = rig.breakers.admit("acme", System.DESTINATION, rig.clock.now())
        rig.breakers.failed(permit, "503", rig.clock.now())
    rig.deliver()

    assert rig.destination.requests == []
    assert rig.customers.get("acme").parked_until == after(30)


def test_a_probe_that_had_nothing_to_send_makes_way_for_the_next():
    rig = ProcessorRig()
    rig.detect("1", last_name="")
    for _ in range(5):
        permit = rig.breakers.admit("acme", System.DESTINATION, rig.clock.now())
        rig.breakers.failed(permit, "503", rig.clock.now())
    rig.clock.advance(30)
    rig.deliver()

    assert rig.states() == {"dead_lettered": 1}
    found = rig.breakers.of("acme")[System.DESTINATION]
    assert (found.state, found.probe_at) == (BreakerState.OPEN, rig.clock.now())


def test_refusals_and_limits_are_answers_and_open_no_breaker():
    refused = (RecordRefused("422", reason="http_422"), False)
    rig = ProcessorRig(PretendedDestination(size=1, failures=[refused] * 9))
    rig.detect(*"123456789")
    rig.deliver_all()

    assert rig.states() == {"dead_lettered": 9}
    assert rig.breakers.of("acme") == {}


def test_a_customer_whose_destination_cannot_be_opened_is_paused():
    def nothing_to_open(*_):
        raise CustomerInvalid("acme", "destination token", "is missing")

    rig = ProcessorRig(open_destination=nothing_to_open)
    rig.detect("1")
    rig.deliver()

    assert "destination token" in rig.customers.get("acme").status_reason


def test_a_system_in_trouble_is_retried_later_with_growing_patience_and_stops_the_slice():
    rig = ProcessorRig(PretendedDestination(size=1, failures=[(SystemUnavailable("gone", sent=False), False)] * 4))
    rig.detect(*"12")
    waits = []
    while rig.states() != {"applied": 2}:
        rig.deliver()
        waits.append(rig.tables.rows.events[1].retry_at - rig.clock.now())
        rig.clock.advance(max(0.5, waits[-1].total_seconds()))

    assert sorted(rig.destination.landed) == [("1", 1), ("2", 1)]
    seconds = [wait.total_seconds() for wait in waits]
    assert sorted({wait for wait in seconds if wait > 0}) == [1, 2, 4]
    assert rig.tables.dead_letters == []


def test_a_system_in_trouble_never_makes_a_dead_letter():
    trouble = (SystemUnavailable("gone", sent=False), False)
    rig = ProcessorRig(PretendedDestination(failures=[trouble] * 50))
    rig.detect("1")
    rig.settle()

    assert rig.states() == {"applied": 1}
    assert rig.attempts() == [0]


def test_a_defect_is_a_dead_letter_after_three_attempts():
    rig = ProcessorRig(PretendedDestination(size=1, failures=[(ZeroDivisionError("ours"), False)] * 3))
    rig.detect("1")
    rig.settle()

    assert rig.states() == {"dead_lettered": 1}
    (letter,) = rig.tables.dead_letters
    assert (letter.reason, letter.attempts) == ("defect", 3)
    assert len(rig.destination.of("create")) == 3


def test_outages_that_an_event_has_met_do_not_count_as_defects():
    silence = (UnknownOutcome("no answer"), False)
    rig = ProcessorRig(PretendedDestination(failures=[silence, silence, (ZeroDivisionError("ours"), True)]))
    rig.detect("1")
    rig.settle()

    assert rig.states() == {"applied": 1}


def test_a_defect_of_a_whole_request_makes_only_the_guilty_one_a_dead_letter():
    rig = ProcessorRig()
    rig.detect(*"123")
    send = rig.destination.apply

    def broken(writes):
        if "2" in {write.entity.source_id for write in writes}:
            raise ZeroDivisionError("ours")
        return send(writes)

    rig.destination.apply = broken
    rig.settle()

    assert rig.states() == {"applied": 2, "dead_lettered": 1}
    assert [letter.entity for letter in rig.tables.dead_letters] == [an_entity("2")]


def test_an_event_that_failed_three_times_is_sent_alone():
    trouble = (SystemUnavailable("gone", sent=False), False)
    rig = ProcessorRig(PretendedDestination(failures=[trouble] * 3))
    rig.detect(*"123")
    rig.settle()

    assert [len(ids) for ids in rig.destination.of("create")] == [3, 3, 3, 1, 1, 1]


def test_an_event_in_retry_holds_back_its_entity_and_no_other():
    rig = ProcessorRig(PretendedDestination(failures=[(SystemUnavailable("gone", sent=False), False)]))
    rig.detect("1")
    rig.deliver()
    rig.detect("1", phone="2")
    rig.detect("2")
    rig.deliver_all()

    assert rig.destination.landed == [("2", 1)]
    rig.clock.advance(1)
    rig.deliver_all()
    assert rig.destination.landed == [("2", 1), ("1", 2)]


def test_too_many_dead_letters_pause_applying_alone_until_a_person_resumes_it():
    rig = ProcessorRig(PretendedDestination(poison=set("12345")), dead_letter_limit=3)
    rig.detect(*"12345")
    rig.deliver()

    customer = rig.customers.get("acme")
    assert customer.status is CustomerStatus.ACTIVE, "it is polled on"
    assert "dead letters" in customer.applying_paused
    assert not rig.deliver()
    rig.customers.resume("acme")
    assert rig.customers.get("acme").may_be_applied


@pytest.mark.parametrize(("limit", "is_paused"), [(4, True), (5, True), (6, False)])
def test_the_limit_of_dead_letters_is_as_set(limit, is_paused):
    rig = ProcessorRig(PretendedDestination(poison=set("12345")), dead_letter_limit=limit)
    rig.detect(*"12345")
    rig.deliver_all()

    assert bool(rig.customers.get("acme").applying_paused) == is_paused


def test_old_dead_letters_do_not_pause_a_customer_whose_slice_went_well():
    rig = ProcessorRig(dead_letter_limit=1)
    rig.detect("1", broken=("b1", "b2"))
    rig.deliver()

    assert rig.customers.get("acme").is_active


def test_a_partition_that_another_worker_holds_is_left_to_it():
    rig = ProcessorRig()
    rig.detect("1")

    with rig.locks.try_hold("partition/acme/0"):
        assert not rig.deliver()
    assert rig.destination.requests == []


def test_other_partitions_are_served_while_one_is_held_elsewhere():
    rig = ProcessorRig(partitions=4)
    rig.detect(*(str(number) for number in range(40)))
    held, *_ = rig.parts.store.due_partitions("acme", rig.clock.now())

    with rig.locks.try_hold(f"partition/acme/{held}"):
        rig.deliver_all()

    assert {event.partition for event in rig.tables.events if event.state == "pending"} == {held}


def test_a_few_events_in_each_partition_share_a_request():
    rig = ProcessorRig(partitions=4)
    rig.detect(*(str(number) for number in range(40)))

    assert rig.deliver()
    assert [len(ids) for ids in rig.destination.of("create")] == [40]


def test_a_partition_that_fills_a_request_leaves_the_others_to_other_workers():
    rig = ProcessorRig(PretendedDestination(size=5), partitions=2)
    rig.detect(*(str(number) for number in range(40)))
    first, second = rig.parts.store.due_partitions("acme", rig.clock.now())
    other, send, free = MemoryLocks(rig.server), rig.destination.apply, []

    def apply(writes):
        with other.try_hold(f"partition/acme/{second}") as held:
            free.append(held is not None)
        return send(writes)

    rig.destination.apply = apply
    rig.deliver()

    assert set(free) == {True}
    assert {event.partition for event in rig.tables.events if event.state == "applied"} == {first}


def test_a_slice_over_several_partitions_holds_no_more_events_than_one_over_one():
    rig = ProcessorRig(partitions=4, slice_events=15)
    rig.detect(*(str(number) for number in range(40)))
    rig.deliver()

    assert rig.states() == {"applied": 15, "pending": 25}


def test_a_slice_over_several_partitions_holds_all_their_locks_while_it_writes_and_none_after():
    rig = ProcessorRig(partitions=4)
    rig.detect(*(str(number) for number in range(40)))
    partitions = rig.parts.store.due_partitions("acme", rig.clock.now())
    other, send, free = MemoryLocks(rig.server), rig.destination.apply, {}

    def can_take(partition):
        with other.try_hold(f"partition/acme/{partition}") as held:
            return held is not None

    def apply(writes):
        free["meanwhile"] = [partition for partition in partitions if can_take(partition)]
        return send(writes)

    rig.destination.apply = apply
    rig.deliver()

    assert len(partitions) == 4
    assert free["meanwhile"] == []
    assert all(can_take(partition) for partition in partitions)


def test_a_slice_over_several_partitions_sends_nothing_once_any_of_its_locks_is_lost():
    rig = ProcessorRig(PretendedDestination(size=20), partitions=4)
    rig.detect(*(str(number) for number in range(40)))
    _, *others = rig.parts.store.due_partitions("acme", rig.clock.now())
    send = rig.destination.apply

    def apply(writes):
        answers = send(writes)
        rig.server.end_name(f"partition/acme/{others[0]}")
        return answers

    rig.destination.apply = apply
    rig.deliver()

    assert len(rig.destination.requests) == 1
    assert rig.states() == {"applied": 20, "pending": len(rig.tables.events) - 20}


def test_one_refused_batch_over_several_partitions_leaves_exactly_the_poisoned_record():
    rig = ProcessorRig(PretendedDestination(poison={"11"}), partitions=4)
    rig.detect(*(str(number) for number in range(40)))
    rig.deliver_all()

    assert rig.states() == {"applied": 39, "dead_lettered": 1}
    assert [letter.entity for letter in rig.tables.dead_letters] == [an_entity("11")]
    assert {len(people) for people in rig.destination.contacts.values()} == {1}


def test_one_refused_batch_of_updates_that_are_held_leaves_exactly_the_poisoned_record():
    rig = ProcessorRig(PretendedDestination(shares_updates=True), partitions=4)
    rig.detect(*(str(number) for number in range(20)), phone="old")
    rig.deliver_all()
    rig.destination.holds, rig.destination.poison = True, {"11"}
    rig.detect(*(str(number) for number in range(20)), phone="new")
    rig.deliver_all()
    rig.destination.release()
    rig.settle()

    assert rig.states() == {"applied": 20 + 19, "dead_lettered": 1}
    assert [letter.entity for letter in rig.tables.dead_letters] == [an_entity("11")]
    assert len(rig.destination.landed) == 20 + 19


def test_nothing_is_sent_once_the_lock_is_lost():
    rig = ProcessorRig(PretendedDestination(size=1))
    rig.detect(*"123")
    send = rig.destination.apply

    def apply(writes):
        answers = send(writes)
        rig.locks.disconnect()
        return answers

    rig.destination.apply = apply
    assert not rig.deliver()

    assert len(rig.destination.requests) == 1
    assert rig.states() == {"applied": 1, "pending": 2}


def test_a_write_that_another_worker_took_over_meanwhile_is_applied_again_from_the_mirror():
    rig = ProcessorRig()
    rig.detect("1", phone="old")
    rig.deliver_all()
    rig.detect("1", phone="new")
    send = rig.destination.apply

    def taken_over(writes):
        rig.destination.apply = send
        rig.locks.disconnect()
        rig.clock.advance(rig.destination.settle_seconds)
        rig.deliver_all()
        rig.destination.landed.append(("1", writes[0].version))
        raise RecordRefused("late", reason="http_409")

    rig.destination.apply = taken_over
    rig.deliver()
    rig.settle()

    assert [e.version for e in rig.tables.events if e.origin == "replay"] == [3]
    assert rig.destination.contacts[an_entity("1")][0].phone == "new"
    assert rig.tables.dead_letters == []


def test_the_lock_is_looked_at_before_every_request():
    rig = ProcessorRig(PretendedDestination(size=1))
    rig.detect(*"12")
    asked = []

    class Watched:
        def verify(self):
            asked.append(len(rig.destination.requests))
            if len(asked) == 2:
                raise LockLost("gone")

    class WatchedLocks:
        def try_hold(self, _name):
            return nullcontext(Watched())

    rig.parts = replace(rig.parts, locks=WatchedLocks())
    rig.deliver()

    assert asked == [0, 1]
    assert len(rig.destination.requests) == 1
