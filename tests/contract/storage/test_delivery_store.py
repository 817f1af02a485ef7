"""What the processor's slice may rely on, whichever store it is given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders import NOW, a_link, a_record, after, an_entity, an_intent

from common.domain.errors import LockLost
from common.domain.events import EventState
from common.domain.resources import USERS
from common.domain.writes import (
    PERHAPS_REMOVED,
    REMOVED,
    EventOutcome,
    Refusal,
    SliceOutcome,
    WriteOutcome,
    WriteState,
)

REFUSAL = Refusal(reason="http_422", message="refused", field="email", status=422, detail="said so")


def put_off(event, until, **changes):
    outcome = EventOutcome(event_id=event.event_id, state=EventState.PENDING, retry_at=until, **changes)
    return SliceOutcome(events=(outcome,))


def ended(event, state=EventState.APPLIED, **changes):
    return EventOutcome(event_id=event.event_id, state=state, **changes)


def dead(event):
    return ended(event, EventState.DEAD_LETTERED, reason="http_422", attempts=1, refusal=REFUSAL)


def test_what_is_due_is_found_in_its_partition_oldest_first(storage):
    storage.detect(*(a_record(str(number)) for number in range(30)))

    partitions = storage.delivery.due_partitions("acme", NOW)
    slices = {p: storage.delivery.read_slice("acme", p, NOW, 100) for p in partitions}

    assert sum(len(events) for events in slices.values()) == 30
    for partition, events in slices.items():
        assert {event.partition for event in events} == {partition}
        assert [event.event_id for event in events] == sorted(event.event_id for event in events)


def test_live_events_come_before_a_backfills(storage):
    storage.detect(*(a_record(str(number)) for number in range(20)))  # without a checkpoint yet: a backfill
    storage.start("run2")
    storage.finish("run2", position=NOW)
    storage.detect(*(a_record(str(number)) for number in range(20, 40)), run_id="run3")

    for partition in storage.delivery.due_partitions("acme", NOW):
        origins = [event.origin for event in storage.delivery.read_slice("acme", partition, NOW, 100)]
        assert origins == sorted(origins, reverse=True)
        assert set(origins) == {"poll", "backfill"}


def test_a_slice_holds_no_more_than_asked_for(storage):
    storage.detect(*(a_record(str(number)) for number in range(30)))
    partition = storage.delivery.due_partitions("acme", NOW)[0]

    whole = storage.delivery.read_slice("acme", partition, NOW, 100)

    assert storage.delivery.read_slice("acme", partition, NOW, 2) == whole[:2]


def test_the_partition_that_waits_longest_comes_first(storage):
    storage.detect(*(a_record(str(number)) for number in range(30)))
    first, *_ = storage.delivery.due_partitions("acme", NOW)
    for event in storage.delivery.read_slice("acme", first, NOW, 100):
        storage.delivery.record("acme", put_off(event, after(10)), NOW)

    assert storage.delivery.due_partitions("acme", after(10))[-1] == first


def test_an_event_in_retry_holds_back_its_entity_and_no_other(storage):
    storage.detect(a_record("1"), a_record("2"))
    first = next(event for event in storage.due() if event.entity.source_id == "1")
    storage.delivery.record("acme", put_off(first, after(60), attempts=1), NOW)
    storage.detect(a_record("1", at=after(1), phone="1"), run_id="run2")

    assert [event.entity.source_id for event in storage.due()] == ["2"]
    assert [(e.version, e.attempts) for e in storage.due(after(60)) if e.entity.source_id == "1"] == [(1, 1), (2, 0)]


def test_a_partition_whose_every_event_is_held_back_is_not_due(storage):
    storage.detect(a_record("1"))
    storage.delivery.record("acme", put_off(storage.due()[0], after(60)), NOW)
    storage.detect(a_record("1", at=after(1), phone="1"), run_id="run2")

    assert storage.delivery.due_partitions("acme", NOW) == []


def test_a_submitted_event_is_open_and_due_again_at_its_time(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    outcome = EventOutcome(event_id=event.event_id, state=EventState.SUBMITTED, retry_at=after(1))
    storage.delivery.record("acme", SliceOutcome(events=(outcome,)), NOW)

    assert storage.due() == []
    assert [again.state for again in storage.due(after(1))] == ["submitted"]


def test_an_event_that_ended_is_never_due_and_never_changes_again(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", SliceOutcome(events=(ended(event),)), NOW)
    storage.delivery.record("acme", SliceOutcome(events=(ended(event, EventState.SKIPPED, reason="late"),)), after(5))

    assert storage.due(after(99)) == []
    (seen,) = storage.events()
    assert (seen.state, seen.reason, seen.finished_at) == ("applied", "", NOW)


def test_an_outcome_without_a_time_leaves_the_event_due(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", put_off(event, None, attempts=1), NOW)

    assert [again.attempts for again in storage.due()] == [1]


def test_a_refused_event_leaves_one_letter_with_what_was_said(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", put_off(event, None, attempts=2), NOW)
    storage.delivery.record("acme", SliceOutcome(events=(dead(event),)), NOW)

    (letter,) = storage.letters()
    assert letter.event_id == event.event_id
    assert (letter.stage, letter.reason, letter.field) == ("apply", "http_422", "email")
    assert (letter.attempts, letter.detail, letter.state) == (3, "said so", "open")
    assert storage.delivery.open_dead_letters("acme") == 1
    assert storage.delivery.open_dead_letters("globex") == 0


def test_an_event_that_two_owners_refuse_leaves_one_letter(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    for _ in range(2):
        storage.delivery.record("acme", SliceOutcome(events=(dead(event),)), NOW)

    assert [(letter.event_id, letter.attempts) for letter in storage.letters()] == [(event.event_id, 1)]


def test_a_newer_version_that_comes_through_closes_the_letters_of_older_ones(storage):
    storage.detect(a_record("1"), a_record("2"))
    first, other = sorted(storage.due(), key=lambda event: event.entity.source_id)
    storage.delivery.record("acme", SliceOutcome(events=(dead(first), dead(other))), NOW)
    storage.delivery.record("acme", SliceOutcome(links=(a_link(an_entity("1"), applied_version=2),)), NOW)

    assert {letter.source_id: letter.state for letter in storage.letters()} == {"1": "superseded", "2": "open"}
    assert storage.delivery.open_dead_letters("acme") == 1


def test_a_newer_version_that_is_skipped_closes_the_letters_of_older_ones(storage):
    storage.detect(a_record("1"), a_record("2"))
    first, other = sorted(storage.due(), key=lambda event: event.entity.source_id)
    storage.delivery.record("acme", SliceOutcome(events=(dead(first), dead(other))), NOW)
    storage.detect(a_record("1", phone="new"), run_id="run2")
    (newer,) = storage.due()
    skipped = EventOutcome(event_id=newer.event_id, state=EventState.SKIPPED)
    storage.delivery.record("acme", SliceOutcome(events=(skipped,)), NOW)

    assert {letter.source_id: letter.state for letter in storage.letters()} == {"1": "superseded", "2": "open"}


def test_who_is_linked_to_a_record_is_told_unless_it_was_taken_back(storage):
    shared = [a_link(an_entity(number), destination_id="d1") for number in "12"]
    gone = a_link(an_entity("3"), destination_id="d1", applied_hash=REMOVED)
    elsewhere = a_link(an_entity("4"), destination_id="d4")
    theirs = a_link(an_entity("1", customer_id="globex"), destination_id="d1")
    storage.delivery.record("acme", SliceOutcome(links=(*shared, gone, elsewhere)), NOW)
    storage.delivery.record("globex", SliceOutcome(links=(theirs,)), NOW)

    found = storage.delivery.links_to("acme", USERS, ["d1", "d9"])
    assert sorted(link.entity.source_id for link in found) == ["1", "2"]
    assert {link.entity.customer_id for link in found} == {"acme"}
    assert storage.delivery.links_to("acme", USERS, []) == []


def test_applying_again_forgets_what_was_written_but_not_that_it_was_taken_back(storage):
    storage.detect(a_record("1"), a_record("2"))
    hashes = {"1": REMOVED, "2": "hash"}
    links = tuple(a_link(an_entity(number), applied_hash=before) for number, before in hashes.items())
    storage.delivery.record("acme", SliceOutcome(links=links), NOW)
    storage.delivery.apply_again([an_entity("1"), an_entity("2")], NOW)

    found = storage.delivery.links([an_entity("1"), an_entity("2")])
    assert {entity.source_id: link.applied_hash for entity, link in found.items()} == {"1": PERHAPS_REMOVED, "2": ""}


def test_an_intent_is_unresolved_until_its_outcome_is_known(storage):
    intent = an_intent()
    storage.delivery.begin([intent])

    assert storage.delivery.unresolved([an_entity("1"), an_entity("2")]) == {an_entity("1"): intent}

    applied = WriteOutcome(write_id="w1", state=WriteState.APPLIED, destination_id="d1")
    storage.delivery.record("acme", SliceOutcome(writes=(applied,)), NOW)
    assert storage.delivery.unresolved([an_entity("1")]) == {}


@pytest.mark.parametrize("state", [WriteState.UNKNOWN, WriteState.SUBMITTED])
def test_an_unknown_or_submitted_write_stays_unresolved(storage, state):
    storage.delivery.begin([an_intent()])
    outcome = WriteOutcome(write_id="w1", state=state, settles_at=after(7))
    storage.delivery.record("acme", SliceOutcome(writes=(outcome,)), NOW)

    (intent,) = storage.delivery.unresolved([an_entity("1")]).values()

    assert (intent.state, intent.settles_at) == (state, after(7))


def test_an_outcome_that_says_nothing_of_settling_keeps_the_intents_word(storage):
    storage.delivery.begin([an_intent(settles_at=after(60))])
    storage.delivery.record("acme", SliceOutcome(writes=(WriteOutcome(write_id="w1", state=WriteState.UNKNOWN),)), NOW)

    assert storage.delivery.unresolved([an_entity("1")])[an_entity("1")].settles_at == after(60)


def test_a_new_intent_takes_the_place_of_an_unresolved_one(storage):
    storage.delivery.begin([an_intent("w1")])
    storage.delivery.begin([an_intent("w2", version=2, replaces="w1")])

    assert storage.delivery.unresolved([an_entity("1")])[an_entity("1")].write_id == "w2"


def test_a_new_intent_does_not_take_over_a_write_that_its_worker_has_not_seen(storage):
    storage.delivery.begin([an_intent("w1")])

    with pytest.raises(LockLost):
        storage.delivery.begin([an_intent("w2", version=2)])


def test_no_intent_is_begun_for_an_event_that_another_worker_has_ended(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.record("acme", SliceOutcome(events=(dead(event),)), NOW)

    with pytest.raises(LockLost):
        storage.delivery.begin([an_intent("w1", event_id=event.event_id)])


def test_the_outcome_of_a_write_that_was_taken_over_is_refused_and_nothing_is_recorded(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()
    storage.delivery.begin([an_intent("w1")])
    storage.delivery.begin([an_intent("w2", replaces="w1")])
    outcome = SliceOutcome(
        events=(dead(event),), writes=(WriteOutcome(write_id="w1", state=WriteState.APPLIED),), links=(a_link(),)
    )

    with pytest.raises(LockLost):
        storage.delivery.record("acme", outcome, NOW)

    assert [seen.state for seen in storage.events()] == ["pending"]
    assert storage.delivery.links([an_entity("1")]) == {}
    assert storage.letters() == []


def test_a_failing_record_undoes_the_writes_before_it(storage):
    storage.delivery.begin([an_intent("w1")])
    writes = tuple(WriteOutcome(write_id=name, state=WriteState.APPLIED) for name in ("w1", "nobody"))

    with pytest.raises(LockLost):
        storage.delivery.record("acme", SliceOutcome(writes=writes), NOW)

    assert storage.delivery.unresolved([an_entity("1")])[an_entity("1")].state is WriteState.OPEN


def test_intents_are_begun_all_or_none(storage):
    storage.delivery.begin([an_intent("w1")])

    with pytest.raises(LockLost):
        storage.delivery.begin([an_intent("w9", entity=an_entity("9")), an_intent("w1", entity=an_entity("8"))])

    assert storage.delivery.unresolved([an_entity("9"), an_entity("8")]) == {}


def test_a_link_is_kept_and_an_older_version_does_not_replace_it(storage):
    newer = a_link(applied_version=3, applied_hash="three", details={"individual_id": "i3"})
    storage.delivery.record("acme", SliceOutcome(links=(newer,)), NOW)
    storage.delivery.record("acme", SliceOutcome(links=(replace(newer, applied_version=2, applied_hash="two"),)), NOW)

    assert storage.delivery.links([an_entity("1"), an_entity("2")]) == {an_entity("1"): newer}


def test_a_link_of_the_same_version_is_replaced(storage):
    storage.delivery.record("acme", SliceOutcome(links=(a_link(applied_hash=""),)), NOW)
    storage.delivery.record("acme", SliceOutcome(links=(a_link(applied_hash="h"),)), NOW)

    assert storage.delivery.links([an_entity("1")])[an_entity("1")].applied_hash == "h"


def test_applying_again_puts_the_mirrored_state_into_the_outbox_as_a_new_version(storage):
    storage.detect(a_record("1", phone="7"))
    (event,) = storage.due()
    storage.delivery.record("acme", SliceOutcome(events=(ended(event),), links=(a_link(),)), NOW)

    storage.delivery.apply_again([an_entity("1"), an_entity("unheard-of")], after(5))

    (again,) = storage.due(after(5))
    assert (again.version, again.origin, again.payload["phone"], again.attempts) == (2, "replay", "7", 0)
    assert storage.mirror_version(an_entity("1")) == 2
    assert storage.delivery.links([an_entity("1")])[an_entity("1")].applied_hash == ""


def test_one_customers_outcome_does_not_touch_anothers_events(storage):
    storage.detect(a_record("1"))
    (event,) = storage.due()

    storage.delivery.record("globex", SliceOutcome(events=(ended(event),)), NOW)

    assert [seen.state for seen in storage.events()] == ["pending"]
    assert storage.delivery.due_partitions("globex", NOW) == []
