"""One delivery: take a free partition of the customer that has due events, and apply a slice of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from common.domain.customers import Customer
from common.domain.errors import (
    BudgetExhausted,
    CustomerBlocked,
    Interrupted,
    PermanentError,
    RateLimited,
    TransientError,
)
from common.domain.events import Event, Origin
from common.domain.limits import Share
from common.domain.stores import Held
from common.domain.writes import EventOutcome, SliceOutcome
from processor.looking import look
from processor.pipeline import Work, coalesce
from processor.sending import send
from processor.slices import Slice, SliceParts, entities_of
from processor.steps.line import pass_through, steps

log = structlog.get_logger(__name__)

#: How long a customer waits when its destination could not even be looked at.
LOOK_AGAIN_SECONDS = 3.0
#: How long a customer waits after a defect of ours outside any single event: it will come again, but not in a loop.
DEFECT_SECONDS = 60.0


def deliver(parts: SliceParts, customer: Customer) -> bool:
    """Apply one slice. True if a slice was applied, so that there may be more; False if there was nothing to take."""
    for partition in parts.store.due_partitions(customer.customer_id, parts.clock.now()):
        with parts.locks.try_hold(f"partition/{customer.customer_id}/{partition}") as held:
            if held is not None and _apply(parts, customer, partition, held):
                return True
    return False


def _apply(parts: SliceParts, customer: Customer, partition: int, held: Held) -> bool:
    events = parts.store.read_slice(customer.customer_id, partition, parts.clock.now(), parts.slice_events)
    if not events:
        return False
    try:
        _work_through(parts, customer, held, events)
    except Interrupted as interruption:
        log.warning("slice stopped", action="slice.interrupted", why=str(interruption))
        return False
    except RateLimited as limit:
        parts.customers.park(customer.customer_id, limit.until, str(limit))
    except CustomerBlocked as block:
        log.error("customer paused", action="customer.paused", why=str(block))
        parts.customers.pause(customer.customer_id, str(block))
    except PermanentError as error:
        # No record was refused but a look-up: no slice of this customer would fare better.
        log.error("customer paused", action="customer.paused", why=str(error))
        parts.customers.pause(customer.customer_id, f"its destination refuses look-ups: {error}")
    except TransientError as error:
        # A look-up failed: nothing was written, and the same slice is due again after a moment.
        log.warning("slice put off", action="slice.put_off", error=str(error))
        soon = parts.clock.now() + timedelta(seconds=LOOK_AGAIN_SECONDS)
        parts.customers.park(customer.customer_id, soon, str(error))
    except parts.outages:
        raise  # our own database is away: nothing can be noted, and the sweep comes back to it
    except Exception as defect:
        log.exception("slice is broken", action="slice.defect")
        later = parts.clock.now() + timedelta(seconds=DEFECT_SECONDS)
        parts.customers.park(customer.customer_id, later, f"defect: {type(defect).__name__}; see the log")
    return True


def _work_through(parts: SliceParts, customer: Customer, held: Held, events: Sequence[Event]) -> None:
    share, events = _live_first(events)
    destination = parts.open_destination(customer, share)
    part = Slice(
        parts=parts,
        customer=customer,
        held=held,
        destination=destination,
        share=share,
        events={event.event_id: event for event in events},
        deadline=parts.clock.monotonic() + parts.slice_seconds,
    )
    entities = entities_of(events)
    chosen = coalesce(events, parts.store.links(entities), parts.store.unresolved(entities))
    plan = pass_through(chosen.works, steps(destination))
    part.record(SliceOutcome(events=chosen.ended + plan.ended, links=plan.links))
    try:
        send(part, look(part, plan.works))
    except BudgetExhausted as limit:
        _wait_for_the_share(part, plan.works, limit)
    if part.dead_letters:
        _mind_the_limit(part)


def _wait_for_the_share(part: Slice, works: Sequence[Work], limit: BudgetExhausted) -> None:
    """A backfill's look-ups have used up its share: they wait, and the customer's live changes do not.

    Raises `limit` for live work: then the customer is parked.
    """
    if part.share is Share.LIVE:
        raise limit
    log.info("backfill waits for its share", action="slice.waiting", until=limit.until.isoformat())
    waiting = (
        EventOutcome(event_id=event.event_id, state=event.state, reason=str(limit), retry_at=limit.until)
        for work in works
        for event in (*work.submitted, work.event)
    )
    part.record(SliceOutcome(events=tuple(waiting)))


def _live_first(events: Sequence[Event]) -> tuple[Share, Sequence[Event]]:
    """The entities with a live change, if there are any; a backfill goes on when there are none, on its own share."""
    live = {event.entity for event in events if event.origin != Origin.BACKFILL}
    if not live:
        return Share.BACKFILL, events
    return Share.LIVE, [event for event in events if event.entity in live]


def _mind_the_limit(part: Slice) -> None:
    count = part.parts.store.open_dead_letters(part.customer.customer_id)
    if count >= part.parts.dead_letter_limit:
        part.pause(f"{count} dead letters: the fault may be ours; see `fleet dlq list`, then `fleet customers resume`")
