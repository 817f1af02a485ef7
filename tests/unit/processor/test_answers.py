"""What each answer of a destination does to its event, its write and its link, and to no other's."""

from __future__ import annotations

import pytest
from support.builders import a_person, after, an_entity
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.errors import SystemUnavailable
from common.domain.events import Action
from common.domain.writes import (
    NeedsReview,
    Postponed,
    Refusal,
    Refused,
    Relinked,
    Review,
    ReviewKind,
    WriteState,
)

REFUSAL = Refusal(reason="tag_missing", message="make the tag", field="name")


def rig_that_answers(answer, **more):
    """One of three is answered like that; the others are applied in the same request."""
    rig = ProcessorRig(PretendedDestination(answers={"2": [answer]}, **more))
    rig.detect(*"123")
    rig.deliver()
    return rig


def events(rig):
    return {row.event.entity.source_id: row for row in rig.tables.rows.events.values()}


def write_states(rig):
    rows = rig.tables.rows.writes.values()
    return {row.intent.entity.source_id: row.intent.state for row in rows}


def test_one_that_is_refused_among_others_is_the_only_dead_letter():
    rig = rig_that_answers(Refused(refusal=REFUSAL))

    assert rig.states() == {"applied": 2, "dead_lettered": 1}
    assert [(letter.entity, letter.reason, letter.field) for letter in rig.tables.dead_letters] == [
        (an_entity("2"), "tag_missing", "name")
    ]
    assert write_states(rig)["2"] is WriteState.REFUSED
    assert len(rig.destination.of("create")) == 1


def test_one_that_is_postponed_comes_again_at_its_time_and_counts_no_attempt():
    rig = rig_that_answers(Postponed(reason="its hours may change", until=after(600)))

    assert (events(rig)["2"].retry_at, events(rig)["2"].event.attempts) == (after(600), 0)
    assert write_states(rig)["2"] is WriteState.NOT_SENT
    rig.clock.advance(599)
    rig.deliver_all()
    early = rig.states()
    rig.clock.advance(1)
    rig.deliver_all()
    assert early == {"applied": 2, "pending": 1}
    assert rig.states() == {"applied": 3}
    assert rig.destination.of("look") == [], "nothing was sent, so there is nothing to look for"


def test_one_that_a_person_must_look_at_is_held_for_a_day_with_a_review():
    review = Review(entity=an_entity("2"), kind=ReviewKind.ARCHIVED, reason="archived there", candidates=("d9",))
    rig = rig_that_answers(NeedsReview(review=review))

    assert rig.tables.rows.reviews[an_entity("2")].review == review
    assert events(rig)["2"].retry_at == after(86_400)
    assert write_states(rig)["2"] is WriteState.NOT_SENT
    rig.clock.advance(86_400)
    rig.deliver_all()
    assert rig.states() == {"applied": 3}
    assert rig.tables.rows.reviews[an_entity("2")].state == "settled", "what is linked asks nothing any more"


def test_one_that_was_merged_into_another_is_linked_to_that_one_and_written_there_at_once():
    rig = ProcessorRig()
    rig.detect("1", phone="1")
    rig.deliver_all()
    rig.destination.answers["1"] = [Relinked(destination_id="d77", details={"individual_id": "i77"})]
    rig.detect("1", phone="2")
    rig.deliver()
    relinked = rig.tables.links[an_entity("1")]
    rig.deliver()

    assert (relinked.destination_id, relinked.applied_version, relinked.applied_hash) == ("d77", 1, "")
    assert relinked.details == {"individual_id": "i77"}
    assert rig.states() == {"applied": 2}
    assert [kind for kind, _ in rig.destination.requests] == ["create", "update", "update"]


def test_an_update_that_was_refused_halfway_is_not_taken_for_as_it_was_when_it_goes_back():
    rig = ProcessorRig()
    rig.detect("1", phone="1")
    rig.deliver_all()
    rig.destination.answers["1"] = [Refused(refusal=REFUSAL)]
    rig.detect("1", phone="2")
    rig.deliver_all()
    rig.detect("1", phone="1")
    rig.deliver_all()

    assert len(rig.destination.of("update")) == 2


def test_an_answer_too_few_is_a_defect_and_is_looked_for_before_anything_is_sent_again():
    rig = ProcessorRig()
    rig.detect(*"123")
    send = rig.destination.apply
    rig.destination.apply = lambda writes: send(writes)[1:]
    rig.deliver()
    rig.destination.apply = send
    rig.settle()

    assert rig.states() == {"applied": 3}
    assert {len(people) for people in rig.destination.contacts.values()} == {1}
    assert [kind for kind, _ in rig.destination.requests] == ["create", "look"]


def gone(rig, source_id="1", *, version=2):
    rig.put(an_entity(source_id), version=version, action=Action.DELETE)


def test_what_is_gone_at_the_source_is_taken_back_and_comes_again_through_its_link():
    rig = ProcessorRig()
    rig.detect("1")
    rig.deliver_all()
    gone(rig)
    rig.deliver_all()
    archived, link = set(rig.destination.archived), rig.tables.links[an_entity("1")]
    rig.put(an_entity("1"), version=3, payload=a_person(phone="3").to_body())
    rig.deliver_all()

    assert (archived, link.applied_hash, link.destination_id) == ({an_entity("1")}, "removed", "d1")
    assert rig.destination.archived == set()
    assert [kind for kind, _ in rig.destination.requests] == ["create", "archive", "update"]
    assert rig.states() == {"applied": 3}


def test_what_was_taken_back_already_is_not_taken_back_again():
    rig = ProcessorRig()
    rig.detect("1")
    rig.deliver_all()
    for version in (2, 3):
        gone(rig, version=version)
        rig.deliver_all()

    assert rig.destination.of("archive") == [["1"]]
    assert rig.states() == {"applied": 2, "unchanged": 1}


def test_what_is_gone_before_it_was_ever_sent_leaves_nothing_to_do():
    rig = ProcessorRig()
    rig.detect("1")
    gone(rig)
    rig.deliver_all()

    assert rig.destination.requests == []
    assert rig.states() == {"superseded": 1, "skipped": 1}


@pytest.mark.parametrize(
    ("happened", "kinds", "states"),
    [
        (True, ["create", "look", "archive"], {"superseded": 1, "applied": 1}),
        (False, ["create", "look"], {"superseded": 1, "skipped": 1}),
    ],
)
def test_what_is_gone_while_nobody_knows_if_it_arrived_is_looked_for_first(happened, kinds, states):
    failure = SystemUnavailable("503", sent=True)
    rig = ProcessorRig(PretendedDestination(failures=[(failure, happened)], visibility_seconds=2.0))
    rig.detect("1")
    rig.deliver()
    gone(rig)
    rig.settle()

    asked = [kind for kind, _ in rig.destination.requests]
    assert list(dict.fromkeys(asked)) == kinds
    assert len(asked) < 100, "for three days, ever less often"
    assert rig.states() == states
    assert not any(row.is_unresolved for row in rig.tables.rows.writes.values())


def test_a_removal_without_an_answer_is_repeated_once_it_has_settled():
    rig = ProcessorRig()
    rig.detect("1")
    rig.deliver_all()
    rig.destination.failures = [(SystemUnavailable("503", sent=True), True)]
    gone(rig)
    rig.settle()

    assert len(rig.destination.of("archive")) == 2
    assert rig.states() == {"applied": 1, "unchanged": 1}
