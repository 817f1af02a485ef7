"""What a destination has accepted and does not show: looked for in few requests, waited for, and never sent twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import a_person, after, an_entity
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.errors import RateLimited, SystemUnavailable, UnknownOutcome
from common.domain.events import Action, Origin
from common.domain.retry import BY_STAFF, NIGHTLY
from common.domain.writes import Submitted, WriteState

DAY = 86_400
SILENCE = UnknownOutcome("no answer")


class Importing(PretendedDestination):
    """An import knows whom it has by its reference, and takes what it is given in order, removals too."""

    def _apply(self, write):
        if self.holds:
            self.held.append(write)
            return Submitted()
        return super()._apply(write)

    def release(self):
        for write in self.held:
            if write.is_removal:
                self.archived.add(write.entity)
            else:
                self.archived.discard(write.entity)
                self.contacts[write.entity] = [write.desired]
            self.landed.append((write.entity.source_id, write.version))
        self.held.clear()


def held_updates(*source_ids, **more):
    """People who are there, and a change of each that is held."""
    rig = ProcessorRig(PretendedDestination(shares_updates=True), **more)
    rig.detect(*source_ids, phone="old")
    rig.deliver_all()
    rig.destination.holds = True
    rig.detect(*source_ids, phone="new")
    rig.deliver_all()
    return rig


def phones(rig):
    return {entity.source_id: [person.phone for person in own] for entity, own in rig.destination.contacts.items()}


def pass_time(rig, seconds):
    until = rig.clock.now().timestamp() + seconds
    while rig.clock.now().timestamp() < until:
        rig.clock.advance(600)
        rig.deliver_all()


def test_an_update_that_is_held_is_waited_for_and_not_written_again():
    rig = held_updates(*"123")
    pass_time(rig, 7200)
    waiting = rig.states()
    rig.destination.release()
    rig.settle()

    assert waiting == {"applied": 3, "submitted": 3}
    assert rig.destination.of("update") == [["1", "2", "3"]]
    assert rig.states() == {"applied": 6}
    assert phones(rig) == {"1": ["new"], "2": ["new"], "3": ["new"]}


def test_a_newer_change_waits_for_a_held_update_even_if_it_goes_back_to_what_is_there():
    rig = held_updates("1")
    rig.detect("1", phone="old")
    pass_time(rig, 3600)
    sent = list(rig.destination.requests)
    rig.destination.release()
    rig.destination.holds = False
    rig.settle()

    assert [kind for kind, _ in sent if kind != "look"] == ["create", "update"]
    assert rig.destination.landed == [("1", 1), ("1", 2), ("1", 3)]
    assert phones(rig) == {"1": ["old"]}
    assert rig.states() == {"applied": 3}


def test_a_removal_waits_for_a_held_update_too():
    rig = held_updates("1")
    rig.put(an_entity("1"), version=3, action=Action.DELETE)
    pass_time(rig, 3600)
    assert rig.destination.archived == set()
    rig.destination.release()
    rig.destination.holds = False
    rig.settle()

    assert rig.destination.landed[-2:] == [("1", 2), ("1", 3)]
    assert rig.states() == {"applied": 3}


def test_a_held_update_that_the_slice_had_no_room_for_is_judged_by_its_own_values():
    rig = ProcessorRig(PretendedDestination(shares_updates=True), slice_events=1)
    rig.detect("1", phone="old")
    rig.deliver_all()
    rig.destination.holds = True
    rig.put(an_entity("1"), version=2, origin=Origin.BACKFILL, payload=a_person(phone="new").to_body())
    rig.deliver_all()
    rig.put(an_entity("1"), version=3, payload=a_person(email="f1@example.org", phone="old").to_body())
    rig.clock.advance(1)
    rig.deliver()

    assert rig.states() == {"applied": 1, "submitted": 1, "pending": 1}, "it shows the old phone: nothing has landed"


def test_all_that_is_due_is_looked_for_in_one_request():
    rig = held_updates(*(str(number) for number in range(50)))
    rig.clock.advance(1)
    rig.deliver_all()

    assert [len(ids) for ids in rig.destination.of("look")] == [50]


@pytest.mark.parametrize(("confirmation", "first"), [(NIGHTLY, 600), (BY_STAFF, 3600)])
def test_the_first_look_comes_when_the_customers_imports_may_have_run(confirmation, first):
    rig = ProcessorRig(PretendedDestination(holds=True, confirmation=confirmation), random_unit=lambda: 0.5)
    rig.detect("1")
    rig.deliver_all()

    (row,) = rig.tables.rows.events.values()
    assert row.retry_at == after(first * 1.05), "spread by up to a tenth"


def test_what_is_held_for_three_days_becomes_one_review_and_is_looked_for_once_a_day():
    rig = ProcessorRig(PretendedDestination(holds=True))
    rig.detect(*"12")
    rig.deliver_all()
    pass_time(rig, 3 * DAY - 3600)
    early = dict(rig.tables.rows.reviews)
    pass_time(rig, 2 * 3600)
    looks = len(rig.destination.of("look"))
    pass_time(rig, 3 * DAY)

    assert early == {}
    assert {e.source_id: row.review.kind for e, row in rig.tables.rows.reviews.items()} == {
        "1": "held_import", "2": "held_import"
    }  # fmt: skip
    assert len(rig.destination.of("look")) - looks == 3
    assert rig.states() == {"submitted": 2}
    assert rig.tables.dead_letters == []

    rig.destination.release()
    rig.settle()
    assert rig.states() == {"applied": 2}
    assert {row.state for row in rig.tables.rows.reviews.values()} == {"settled"}


def test_a_shared_update_without_an_answer_is_looked_for_before_it_is_sent_again():
    rig = ProcessorRig(PretendedDestination(shares_updates=True))
    rig.detect(*"123", phone="old")
    rig.deliver_all()
    rig.destination.failures = [(UnknownOutcome("no answer"), True)]
    rig.detect(*"123", phone="new")
    rig.settle()

    assert rig.destination.of("update") == [["1", "2", "3"]]
    assert rig.destination.of("look") == [["1", "2", "3"]]
    assert rig.states() == {"applied": 6}


def test_a_shared_update_that_never_arrived_is_sent_again_after_the_look():
    rig = ProcessorRig(PretendedDestination(shares_updates=True))
    rig.detect(*"123", phone="old")
    rig.deliver_all()
    rig.destination.failures = [(UnknownOutcome("no answer"), False)]
    rig.detect(*"123", phone="new")
    rig.settle()

    assert len(rig.destination.of("update")) == 2
    assert phones(rig) == {"1": ["new"], "2": ["new"], "3": ["new"]}


def test_an_update_whose_event_was_discarded_while_it_was_held_blocks_its_entity_for_three_days_and_no_longer():
    rig = held_updates("1")
    with rig.tables.transaction() as rows:
        discarded = rows.events.pop(2)
    rig.detect("1", phone="newest")
    pass_time(rig, 2 * DAY)
    waiting = rig.states()
    rig.destination.holds = False
    pass_time(rig, 2 * DAY)

    assert discarded.event.state == "submitted"
    assert waiting == {"applied": 1, "pending": 1}
    assert phones(rig) == {"1": ["newest"]}
    assert WriteState.SUBMITTED not in {row.intent.state for row in rig.tables.rows.writes.values()}


FAILURES = st.sampled_from([
    None, (SILENCE, True), (SILENCE, False), (SystemUnavailable("503", sent=True), True),
    (SystemUnavailable("x", sent=False), False), (RateLimited("429", until=after(50)), False),
])  # fmt: skip
EDITS = st.lists(
    st.tuples(st.sampled_from("123"), st.sampled_from(["a", "b", None]), st.booleans(), st.sampled_from([0, 1, 40])),
    min_size=1, max_size=15,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(failures=st.lists(FAILURES, max_size=8), edits=EDITS, group=st.sampled_from([2, 100]))
def test_whatever_is_held_and_fails_nothing_is_lost_or_put_back(failures, edits, group):
    """Edits of three people, some of them removals, with an import that runs now and then."""
    rig = ProcessorRig(Importing(failures=failures, size=group, shares_updates=True, holds=True))
    newest, versions = {}, dict.fromkeys("123", 0)
    for source_id, phone, imports, pause in edits:
        versions[source_id] += 1
        newest[source_id] = phone
        rig.put(
            an_entity(source_id), version=versions[source_id], partition=int(source_id),
            action=Action.DELETE if phone is None else Action.UPSERT,
            payload=a_person(phone=phone or "", email=f"{source_id}@example.org").to_body(),
        )  # fmt: skip
        rig.deliver()
        if imports:
            rig.destination.release()
        rig.clock.advance(pause)
    for seconds in (30,) * 100 + (3600,) * 100:
        if not rig.open_events():
            break
        rig.destination.release()
        rig.deliver_all()
        rig.clock.advance(seconds)

    arrived: dict[str, int] = {}
    for source_id, version in rig.destination.landed:
        assert version >= arrived.get(source_id, 0)
        arrived[source_id] = version
    assert rig.open_events() == 0
    for source_id, phone in newest.items():
        there = (
            an_entity(source_id) in rig.destination.contacts and an_entity(source_id) not in rig.destination.archived
        )
        assert there == (phone is not None)
        assert not there or phones(rig)[source_id] == [phone]
    assert rig.tables.dead_letters == []
