"""Coalescing: the newest event stands for the older ones, unless every one counts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_link, an_entity, an_event, an_intent

from common.domain.events import EventState
from processor.pipeline import coalesce


def plan_of(*events, links=None, unresolved=None):
    return coalesce(events, links or {}, unresolved or {})


def test_the_newest_event_stands_for_the_older_ones():
    plan = plan_of(an_event(1), an_event(2), an_event(3))

    assert [work.event.event_id for work in plan.works] == [3]
    assert [(end.event_id, end.state) for end in plan.ended] == [(1, "superseded"), (2, "superseded")]
    assert "version 3" in plan.ended[0].reason


def test_an_event_of_which_every_one_counts_lets_none_be_left_out():
    plan = plan_of(an_event(1), an_event(2, coalesce=False), an_event(3))

    assert [work.event.event_id for work in plan.works] == [1]
    assert plan.ended == ()


def test_entities_do_not_stand_for_each_other():
    plan = plan_of(an_event(1), an_event(2, entity=an_entity("2")), an_event(3, entity=an_entity("1", resource="x")))

    assert len(plan.works) == 3


def test_order_is_by_version_and_not_by_arrival():
    plan = plan_of(an_event(1, version=2), an_event(9, version=1))

    assert [work.event.version for work in plan.works] == [2]
    assert [end.event_id for end in plan.ended] == [9]


def test_a_new_version_does_not_wipe_out_that_the_entity_has_been_failing():
    plan = plan_of(an_event(1, attempts=4), an_event(2))

    assert plan.works[0].event.attempts == 4


def test_a_submitted_event_is_not_superseded_but_goes_with_the_work():
    plan = plan_of(an_event(1, state=EventState.SUBMITTED), an_event(2))

    assert [event.event_id for event in plan.works[0].submitted] == [1]
    assert plan.ended == ()


def test_a_work_knows_its_link_and_its_write_of_unknown_outcome():
    link, intent = a_link(), an_intent()
    plan = plan_of(an_event(1), an_event(2, entity=an_entity("2")), links={an_entity(): link},
                   unresolved={an_entity(): intent})  # fmt: skip

    first, second = plan.works
    assert (first.link, first.unresolved) == (link, intent)
    assert (second.link, second.unresolved) == (None, None)


EVENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.booleans(), st.booleans(), st.integers(0, 5)),
    unique_by=lambda row: row[:2],
).map(
    lambda rows: [
        an_event(
            number, entity=an_entity(source_id), version=version, coalesce=coalesce_, attempts=attempts,
            state=EventState.SUBMITTED if submitted else EventState.PENDING,
        )
        for number, (source_id, version, coalesce_, submitted, attempts) in enumerate(rows)
    ]
)  # fmt: skip


@given(EVENTS)
def test_each_event_is_worked_on_ended_carried_along_or_left_for_later_exactly_once(events):
    plan = plan_of(*events)

    touched = Counter(
        [work.event.event_id for work in plan.works]
        + [end.event_id for end in plan.ended]
        + [event.event_id for work in plan.works for event in work.submitted]
    )
    later = {event.event_id for event in events} - set(touched)
    chosen = {work.entity: work.event for work in plan.works}
    by_id = {event.event_id: event for event in events}

    assert set(touched.values()) <= {1}
    assert set(chosen) == {event.entity for event in events}
    assert all(by_id[i].version > chosen[by_id[i].entity].version for i in later)


@given(EVENTS)
def test_only_older_versions_end_and_none_goes_before_an_older_one_that_counts(events):
    plan = plan_of(*events)
    chosen = {work.entity: work.event for work in plan.works}

    for end in plan.ended:
        event = next(event for event in events if event.event_id == end.event_id)
        assert event.version < chosen[event.entity].version
    for entity, event in chosen.items():
        own = [other for other in events if other.entity == entity]
        if not all(other.coalesce for other in own):
            assert event.version == min(other.version for other in own)
        else:
            assert event.version == max(other.version for other in own)


@given(EVENTS)
def test_slices_in_a_row_never_go_back_a_version(events):
    """What a slice chose is done when the next one is read."""
    left, done = list(events), {}
    while left:
        plan = plan_of(*left)
        ended = {end.event_id for end in plan.ended}
        for work in plan.works:
            assert work.event.version > done.get(work.entity, 0)
            done[work.entity] = work.event.version
            ended |= {work.event.event_id, *(event.event_id for event in work.submitted)}
        left = [event for event in left if event.event_id not in ended]

    assert all(done[event.entity] >= event.version for event in events)
