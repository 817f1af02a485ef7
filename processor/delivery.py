"""One delivery: take free partitions of the customer that have due events, and apply a slice of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import structlog

from common.domain.customers import Customer, System
from common.domain.entities import EntityKey
from common.domain.errors import BudgetExhausted
from common.domain.events import Event
from common.domain.limits import Share, share_of
from common.domain.mapping import read_mapping
from common.domain.nights import is_rate_pause
from common.domain.passages import Passage, passing
from common.domain.writes import EventOutcome, Intent, SliceOutcome, WriteState
from common.logs.setup import bound
from processor.asking import ask
from processor.guarding import Guarded
from processor.pipeline import Plan, Work, coalesce
from processor.sending import is_suspect, send
from processor.slices import Slice, SliceParts, entities_of
from processor.steps.line import first_steps, last_steps, pass_through
from processor.taking import Taken, take
from processor.verdicts import Action, SliceVerdict, decide_slice

log = structlog.get_logger(__name__)

#: Whose work goes first, of what one slice has read.
FIRST_TO_LAST = (Share.LIVE, Share.RECONCILIATION, Share.BACKFILL)
#: What is written one by one is asked for by so many before they are written: were all of a slice asked for first, a
#: budget that the asking uses up would be used up for nothing, hour after hour.
FEW = 10
#: Why a slice stopped, for whoever searches the logs.
LOGGED_AS: Mapping[Action, str] = {
    Action.STOP: "slice.interrupted",
    Action.PARK: "slice.put_off",
    Action.BLOCK: "slice.blocked",
    Action.PAUSE: "customer.paused",
}


def deliver(parts: SliceParts, customer: Customer) -> bool:
    """Apply one slice. True if one was taken, so that there may be more; False if there was nothing to take, or the
    destination is blocked.
    """
    slice_id = parts.new_id()
    with ExitStack() as until_then, bound(slice_id=slice_id):
        taken = take(parts, customer, until_then)
        return bool(taken.events) and _apply(parts, customer, taken, slice_id)


def _apply(parts: SliceParts, customer: Customer, taken: Taken, slice_id: str) -> bool:
    passage, may_follow = None, True
    try:
        with passing(parts.breakers, parts.clock, customer.customer_id, System.DESTINATION) as passage:
            _work_through(parts, customer, taken, passage, slice_id)
    except parts.outages:
        raise  # our own database is away: nothing can be noted, and the sweep comes back to it
    except Exception as error:  # noqa: BLE001 - the verdict decides
        verdict = decide_slice(error, parts.clock.now())
        _act(parts, customer, verdict, error)
        may_follow = verdict.action not in (Action.STOP, Action.BLOCK)
    return (passage is None or _heed_the_breaker(parts, customer, passage)) and may_follow


def _act(parts: SliceParts, customer: Customer, verdict: SliceVerdict, error: Exception) -> None:
    """Do what the verdict says."""
    told = log.error if verdict.is_defect or verdict.action is Action.PAUSE else log.warning
    told(
        "slice stopped", action=LOGGED_AS[verdict.action], why=verdict.reason,
        exc_info=error if verdict.is_defect else None,
    )  # fmt: skip
    if verdict.action is Action.PARK and verdict.until is not None:
        parts.customers.park(customer.customer_id, verdict.until, verdict.reason)
        if is_rate_pause(error):
            parts.note_pause(customer)
    elif verdict.action is Action.PAUSE:
        parts.customers.pause(customer.customer_id, verdict.reason)


def _heed_the_breaker(parts: SliceParts, customer: Customer, passage: Passage) -> bool:
    """Say what became of it; if it was opened, the customer is parked until the probe. False: blocked."""
    if passage.is_blocked:
        log.error("destination is blocked", action="credentials.blocked", why=passage.reason)
    until = passage.opened_until
    if until is not None:
        log.warning("breaker is open", action="breaker.opened", system=System.DESTINATION, until=until.isoformat())
        parts.metrics.breaker_openings.labels(System.DESTINATION).inc()
        parts.customers.park(customer.customer_id, until, f"the destination is in trouble: {passage.reason}")
    return not passage.is_blocked


def _work_through(parts: SliceParts, customer: Customer, taken: Taken, passage: Passage, slice_id: str) -> None:
    share, events = _first_share(taken.events)
    entities = entities_of(events)
    unresolved = parts.store.unresolved(entities)
    events = [*events, *_awaited(parts, customer, events, unresolved)]
    destination = Guarded(parts.open_destination(customer, share), passage)
    part = Slice(
        parts=parts,
        customer=customer,
        held=taken,
        destination=destination,
        share=share,
        events={event.event_id: event for event in events},
        deadline=parts.clock.monotonic() + parts.slice_seconds,
        jitter=parts.random_unit(),
        is_probe=passage.is_probe,
        slice_id=slice_id,
        passage=passage,
    )
    chosen = coalesce(events, parts.store.links(entities), unresolved)
    plan = _plan(part, chosen)
    part.record(SliceOutcome(events=chosen.ended + plan.ended, links=plan.links, emails=plan.emails))
    _ask_and_send(part, _portions(part, plan.works))
    if part.dead_letters:
        _mind_the_limit(part)


def _portions(part: Slice, works: Sequence[Work]) -> Sequence[Sequence[Work]]:
    """What goes in requests for many, at once; what is asked for and written one by one, a few at a time.

    Suspects go last, each alone, those that failed least first: one that breaks a look-up keeps no other from being
    looked for and sent, and least of all from being the one that finds out whether the destination is back.
    """
    suspects = sorted(filter(is_suspect, works), key=lambda work: (work.event.failures, work.event.event_id))
    alone = [work for work in works if part.destination.group_limit(work.as_write()) == 1 and work not in suspects]
    together = [work for work in works if work not in alone and work not in suspects]
    few = [alone[start : start + FEW] for start in range(0, len(alone), FEW)]
    return [*([together] if together else []), *few, *([work] for work in suspects)]


def _ask_and_send(part: Slice, portions: Sequence[Sequence[Work]]) -> None:
    for number, works in enumerate(portions):
        try:
            send(part, ask(part, works))
        except BudgetExhausted as limit:
            _wait_for_the_share(part, [work for left in portions[number:] for work in left], limit)
            return
        if part.is_over or part.is_probe:
            return


def _awaited(
    parts: SliceParts, customer: Customer, events: Sequence[Event], unresolved: Mapping[EntityKey, Intent]
) -> Sequence[Event]:
    """Events of submissions that the slice had no room for: without them nobody could tell what to look for."""
    wanted = {intent.event_id for intent in unresolved.values() if intent.state is WriteState.SUBMITTED}
    missing = wanted - {event.event_id for event in events}
    return parts.store.read_events(customer.customer_id, missing) if missing else ()


def _plan(part: Slice, chosen: Plan) -> Plan:
    """What is to be written, once it is known what each piece hangs on."""
    mapping = read_mapping(part.customer.customer_id, part.customer.mapping)
    wanted = pass_through(chosen.works, first_steps(mapping))
    needs = {entity for work in wanted.works for entity in work.needs}
    store = part.parts.store
    links = store.links(sorted(needs)) if needs else {}
    missing = sorted(needs - links.keys())
    line = last_steps(part.destination, part.now, store.newest_states(missing) if missing else {})
    plan = pass_through([work.with_parents(links) for work in wanted.works], line)
    return Plan(works=plan.works, ended=wanted.ended + plan.ended, links=wanted.links + plan.links, emails=plan.emails)


def _wait_for_the_share(part: Slice, works: Sequence[Work], limit: BudgetExhausted) -> None:
    """Look-ups of what can wait have used up its share: they wait, and the customer's live changes do not.

    Raises `limit` for live work: then the customer is parked.
    """
    if part.share is Share.LIVE:
        raise limit
    log.info("slice waits for its share", action="slice.waiting", until=limit.until.isoformat())
    part.parts.note_pause(part.customer)
    waiting = (
        EventOutcome(event_id=event.event_id, state=event.state, reason=str(limit), retry_at=limit.until)
        for work in works
        for event in (*work.submitted, work.event)
    )
    part.record(SliceOutcome(events=tuple(waiting)))


def _first_share(events: Sequence[Event]) -> tuple[Share, Sequence[Event]]:
    """The entities with a live change, if there are any; else of what can wait less, on its own share."""
    shares = {event.event_id: share_of(event.origin) for event in events}
    first = next(share for share in FIRST_TO_LAST if share in shares.values())
    entities = {event.entity for event in events if shares[event.event_id] is first}
    return first, [event for event in events if event.entity in entities]


def _mind_the_limit(part: Slice) -> None:
    count = part.parts.store.open_dead_letters(part.customer.customer_id)
    if count >= part.parts.dead_letter_limit:
        customer_id = part.customer.customer_id
        part.pause_applying(
            f"{count} dead letters: the fault may be ours; see `fleet dlq list {customer_id}`, "
            f"then `fleet customers resume {customer_id}`"
        )
