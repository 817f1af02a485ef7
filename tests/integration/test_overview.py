"""What operators read of a customer's work, over real rows."""

from __future__ import annotations

from datetime import timedelta

from common.domain.events import EventState
from common.domain.writes import EventOutcome, SliceOutcome


def test_what_waits_by_design_is_counted_apart_and_never_the_oldest(hub, organization):
    access = organization(users=3)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    now = hub.clock.now()
    store = hub.slice_parts.store
    partitions = store.due_partitions(access.name, now)
    first, second, sent = [event for each in partitions for event in store.read_slice(access.name, each, now, 9)]
    later = now + timedelta(days=40)

    def put(event, **changes):
        outcome = EventOutcome(event_id=event.event_id, **changes)
        store.record(access.name, SliceOutcome(events=(outcome,)), now)

    put(first, state=EventState.PENDING, reason="its hours may change yet", retry_at=later, until_newer=True)
    put(sent, state=EventState.SUBMITTED, reason="waits for the import", retry_at=later)
    (row,) = hub.overview.customers()
    assert (row.pending, row.submitted, row.waiting) == (2, 1, 1)
    assert (row.waiting_until, row.waiting_reason) == (later, "its hours may change yet")
    assert row.oldest_pending_at is not None

    put(second, state=EventState.APPLIED)
    (row,) = hub.overview.customers()
    assert (row.pending, row.waiting, row.oldest_pending_at) == (1, 1, None)
