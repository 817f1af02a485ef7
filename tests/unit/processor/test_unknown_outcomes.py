"""Writes whose outcome nobody knows: looked at before another is sent, and never before they have settled."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import after, an_entity
from support.delivering import PretendedDestination, ProcessorRig
from support.recording import KilledError, Killing

from common.domain.breakers import BreakerState
from common.domain.customers import CustomerStatus, System
from common.domain.errors import (
    PageUnreadable,
    RateLimited,
    RecordRefused,
    SystemUnavailable,
    TokenRejected,
    UnknownOutcome,
)

SILENCE = UnknownOutcome("no answer")


def one_create(*failures, **more):
    rig = ProcessorRig(PretendedDestination(failures=list(failures), **more))
    rig.detect("1")
    rig.deliver()
    return rig


def contacts(rig):
    return {entity.source_id: len(people) for entity, people in rig.destination.contacts.items()}


@pytest.mark.parametrize("size", [1, 100], ids=["one by one", "in batches"])
@pytest.mark.parametrize("happened", [True, False])
def test_a_create_without_an_answer_is_looked_for_before_a_second_one_is_sent(happened, size):
    rig = one_create((SILENCE, happened), size=size)
    rig.settle()

    assert [kind for kind, _ in rig.destination.requests] == ["create", "look"] + ([] if happened else ["create"])
    assert contacts(rig) == {"1": 1}
    assert rig.states() == {"applied": 1}


def test_nobody_looks_before_the_write_has_settled():
    rig = one_create((SILENCE, True), settle_seconds=30.0)
    for _ in range(29):
        rig.clock.advance(1)
        rig.deliver_all()
    early = rig.destination.of("look")
    rig.clock.advance(1)
    rig.deliver_all()

    assert early == []
    assert rig.destination.of("look") == [["1"]]


def test_an_answer_even_a_bad_one_leaves_only_the_index_to_wait_for():
    rig = one_create((SystemUnavailable("503", sent=True), True), settle_seconds=30.0, visibility_seconds=2.0)
    rig.clock.advance(2)
    rig.deliver_all()

    assert rig.destination.of("look") == [["1"]]
    assert contacts(rig) == {"1": 1}


def test_what_was_never_sent_needs_no_look():
    rig = one_create((SystemUnavailable("refused", sent=False), False))
    rig.settle()

    assert [kind for kind, _ in rig.destination.requests] == ["create", "create"]


def test_an_update_without_an_answer_is_repeated_once_it_has_settled():
    rig = one_create()
    rig.detect("1", phone="2")
    rig.destination.failures = [(SILENCE, True)]
    rig.deliver()
    rig.clock.advance(29)
    rig.deliver_all()
    early = len(rig.destination.of("update"))
    rig.clock.advance(1)
    rig.deliver_all()

    assert (early, len(rig.destination.of("update"))) == (1, 2)
    assert rig.states() == {"applied": 1, "unchanged": 1}


def test_a_newer_version_waits_for_the_older_ones_outcome_and_then_updates_it():
    rig = one_create((SILENCE, True))
    rig.detect("1", phone="new")
    rig.settle()

    assert [kind for kind, _ in rig.destination.requests] == ["create", "look", "update"]
    assert [person.phone for person in rig.destination.contacts[an_entity("1")]] == ["new"]
    assert rig.states() == {"superseded": 1, "applied": 1}


def test_a_look_that_fails_loses_nothing_and_writes_nothing():
    rig = one_create((SILENCE, True), look_failures=[PageUnreadable("html"), SystemUnavailable("503", sent=True)])
    rig.clock.advance(30)
    rig.deliver()

    assert rig.customers.get("acme").parked_until is not None
    assert contacts(rig) == {"1": 1}
    rig.settle()
    assert rig.states() == {"applied": 1}
    assert contacts(rig) == {"1": 1}


def test_a_rate_limited_look_parks_until_it_was_told():
    rig = one_create((SILENCE, True), look_failures=[RateLimited("429", until=after(500))])
    rig.clock.advance(30)
    rig.deliver()

    assert rig.customers.get("acme").parked_until == after(500)


def test_a_look_with_a_rejected_token_blocks_the_destination():
    rig = one_create((SILENCE, True), look_failures=[TokenRejected("401")])
    rig.clock.advance(30)

    assert not rig.deliver()
    assert rig.customers.get("acme").is_active
    assert rig.breakers.of("acme")[System.DESTINATION].state is BreakerState.BLOCKED
    assert contacts(rig) == {"1": 1}


def test_a_look_that_is_refused_pauses_the_customer():
    rig = one_create((SILENCE, True), look_failures=[RecordRefused("GET: 404", reason="http_404")])
    rig.clock.advance(30)
    rig.deliver()

    assert rig.customers.get("acme").status is CustomerStatus.PAUSED
    assert contacts(rig) == {"1": 1}


def test_a_held_create_is_looked_for_ever_less_often_until_it_shows():
    rig = one_create(holds=True)
    first = rig.states()
    for _ in range(3600):
        rig.clock.advance(1)
        rig.deliver_all()
    looks = len(rig.destination.of("look"))
    rig.destination.release()
    rig.settle()

    assert first == {"submitted": 1}
    assert 5 < looks < 30
    assert rig.states() == {"applied": 1}
    assert contacts(rig) == {"1": 1}
    assert len(rig.destination.of("create")) == 1


def test_newer_versions_wait_while_a_create_is_held_and_follow_as_one_update():
    rig = one_create(holds=True)
    for phone in ("1", "2"):
        rig.detect("1", phone=phone)
        rig.deliver_all()
    assert len(rig.destination.requests) == 1
    rig.destination.release()
    rig.settle()

    assert rig.destination.landed == [("1", 1), ("1", 3)]
    assert rig.states() == {"applied": 2, "superseded": 1}


def test_many_unknown_creates_are_looked_for_in_one_request():
    rig = ProcessorRig(PretendedDestination(failures=[(SILENCE, True)]))
    rig.detect(*(str(number) for number in range(20)))
    rig.settle()

    assert [len(ids) for ids in rig.destination.of("look")] == [20]
    assert set(contacts(rig).values()) == {1}


def test_a_defect_after_the_write_happened_does_not_write_again_without_looking():
    rig = one_create((ZeroDivisionError("ours"), True))
    rig.settle()

    assert contacts(rig) == {"1": 1}
    assert rig.states() == {"applied": 1}


@pytest.mark.parametrize("after_call", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("holds", [False, True])
def test_a_worker_killed_before_or_after_any_step_neither_loses_nor_doubles(at, after_call, holds):
    rig = ProcessorRig(PretendedDestination(holds=holds, size=2))
    rig.detect(*"123")
    whole = rig.parts
    rig.parts = replace(whole, store=Killing(whole.store, at=at, after=after_call))
    with suppress(KilledError):
        rig.deliver_all()
    rig.parts = whole
    for _ in range(10):
        rig.destination.release()
        rig.deliver_all()
        rig.clock.advance(rig.destination.settle_seconds)

    assert contacts(rig) == {"1": 1, "2": 1, "3": 1}
    assert rig.states() == {"applied": 3}


FAILURES = st.sampled_from([
    None, (SILENCE, True), (SILENCE, False), (SystemUnavailable("503", sent=True), True),
    (SystemUnavailable("503", sent=True), False), (SystemUnavailable("x", sent=False), False),
    (RateLimited("429", until=after(50)), False), (ZeroDivisionError("ours"), True),
])  # fmt: skip


def few_defects(failures):
    """A third one in a row would be a dead letter."""
    return sum(failure is not None and isinstance(failure[0], ArithmeticError) for failure in failures) < 3


@settings(max_examples=200)
@given(
    failures=st.lists(FAILURES, max_size=12).filter(few_defects),
    edits=st.lists(st.tuples(st.sampled_from("12345"), st.sampled_from("abc")), min_size=1, max_size=15),
    pauses=st.lists(st.sampled_from([0, 1, 5, 40]), max_size=15),
    group=st.sampled_from([1, 3, 100]),
)
def test_whatever_fails_nothing_is_lost_doubled_or_put_back(failures, edits, pauses, group):
    rig = ProcessorRig(PretendedDestination(failures=failures, size=group))
    newest, waits = {}, list(pauses)
    for source_id, phone in edits:
        rig.detect(source_id, phone=phone)
        newest[source_id] = phone
        rig.deliver()
        rig.clock.advance(waits.pop() if waits else 0)
    rig.settle()

    versions = {}
    for source_id, version in rig.destination.landed:
        assert version >= versions.get(source_id, 0)
        versions[source_id] = version
    assert {e.source_id: [p.phone for p in people] for e, people in rig.destination.contacts.items()} == {
        source_id: [phone] for source_id, phone in newest.items()
    }
    assert rig.open_events() == 0
    assert rig.tables.dead_letters == []
