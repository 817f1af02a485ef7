"""What waits for a decision or for what it says to be final lets newer events by; what may still land does not."""

from __future__ import annotations

import pytest
from support.builders import after, an_entity
from support.delivering import PretendedDestination, ProcessorRig

from common.domain.events import EventState
from common.domain.writes import NeedsReview, Postponed, Review, ReviewKind

DAY = 86_400
REVIEW = NeedsReview(review=Review(entity=an_entity("1"), kind=ReviewKind.ARCHIVED, reason="archived there"))
NOT_FINAL = Postponed(reason="its hours may change", until=after(DAY), until_newer=True)
NOT_VISIBLE = Postponed(reason="it was just made", until=after(DAY))


def rig_that_answers(answer, **more):
    """To every first try."""
    rig = ProcessorRig(PretendedDestination(answers={number: [answer] for number in "1234"}), **more)
    rig.detect("1", phone="1")
    rig.deliver_all()
    return rig


@pytest.mark.parametrize("answer", [REVIEW, NOT_FINAL])
def test_a_newer_event_goes_at_once_and_the_older_one_ends_as_superseded(answer):
    rig = rig_that_answers(answer)
    rig.detect("1", phone="2")
    rig.deliver_all()

    assert rig.states() == {"superseded": 1, "applied": 1}


def test_a_newer_event_waits_for_an_older_one_of_which_a_part_may_be_there():
    rig = rig_that_answers(NOT_VISIBLE)
    rig.detect("1", phone="2")
    rig.deliver_all()
    early = rig.states()
    rig.clock.advance(DAY)
    rig.deliver_all()

    assert early == {"pending": 2}
    assert rig.states() == {"superseded": 1, "applied": 1}


def test_older_events_that_fill_a_slice_do_not_keep_their_newer_ones_out_of_it():
    rig = ProcessorRig(PretendedDestination(answers={number: [NOT_FINAL] * 9 for number in "12"}), slice_events=2)
    rig.detect("1", "2", phone="1")
    rig.detect("1", "2", phone="2")
    for _ in range(3):
        rig.deliver()

    assert rig.states() == {"superseded": 2, "pending": 2}
    waiting = [row for row in rig.tables.rows.events.values() if row.event.state is EventState.PENDING]
    assert [(row.event.version, row.retry_at) for row in waiting] == [(2, after(DAY))] * 2
