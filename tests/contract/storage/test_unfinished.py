"""Events of a span of time that are not final yet; the same on both stores."""

from __future__ import annotations

from support.builders import NOW, a_broken_record, a_record, after

from common.domain.events import EventState
from common.domain.resources import PROJECTS, USERS
from common.domain.writes import EventOutcome, SliceOutcome


def unfinished(storage, *, since=-10, before=10, customer_id="acme", resource=USERS):
    """Bounds in seconds from now."""
    return storage.detection.unfinished(customer_id, resource, since=after(since), before=after(before))


def test_open_ones_count_and_only_those_of_the_span(storage):
    storage.detect(a_record("1"), a_record("2"), broken=[a_broken_record("3")])
    storage.detect(a_record("4"), run_id="r2", now=after(20))

    assert (unfinished(storage), unfinished(storage, before=20)) == (2, 3)
    assert unfinished(storage, since=1) == 0
    assert unfinished(storage, since=0, before=0) == 2


def test_of_this_customer_and_resource_alone(storage):
    storage.detect(a_record("1"), customer_id="globex")

    assert unfinished(storage) == 0
    assert unfinished(storage, customer_id="globex") == 1
    assert unfinished(storage, customer_id="globex", resource=PROJECTS) == 0


def test_one_that_has_ended_does_not_count(storage):
    storage.detect(a_record("1"), a_record("2"))
    event = storage.due()[0]
    ended = EventOutcome(event_id=event.event_id, state="applied", reason="")
    storage.delivery.record("acme", SliceOutcome(events=(ended,)), NOW)

    assert unfinished(storage) == 1


def test_one_that_waits_by_design_does_not_count(storage):
    storage.detect(a_record("1"), a_record("2"))
    waiting, held_up = storage.due()
    later = {"state": EventState.PENDING, "reason": "its hours may change", "retry_at": after(86_400)}
    by_design = EventOutcome(event_id=waiting.event_id, until_newer=True, **later)
    in_retry = EventOutcome(event_id=held_up.event_id, **later)
    storage.delivery.record("acme", SliceOutcome(events=(by_design, in_retry)), NOW)

    assert unfinished(storage) == 1
