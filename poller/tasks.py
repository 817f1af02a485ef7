"""The poller's tasks: decode, call a plain function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from celery import Celery

from common.domain.customers import Customer
from common.domain.layers import LAYER_TERMS, Layer
from common.queueing.names import POLL, SWEEP
from common.queueing.tasks import declare_task
from poller import runs
from poller.bootstrap import Poller
from poller.feeding import feed_batches
from poller.nightly import ask_for_nights, is_of_the_night, serve
from poller.pruning import prune
from poller.resting import end_pauses
from poller.sources import registry
from poller.sweep import repair, sweep
from poller.targets import ask_for_checks

log = structlog.get_logger(__name__)


def declare_tasks(app: Celery, poller: Callable[[], Poller]) -> None:
    """Register `poller.poll` and `poller.sweep`; `poller` is called when the first message arrives."""

    def poll(
        customer_id: str, layer: str = Layer.POLL, resources: Sequence[str] | None = None, *, by_hand: bool = False
    ) -> None:
        if layer not in set(Layer):
            log.error("message refused", action="task.refused", why=f"no layer {layer!r}", known=[*map(str, Layer)])
            return
        poller().polls.taken(customer_id, Layer(layer), resources)
        poll_customer(poller(), customer_id, Layer(layer), resources, by_hand=by_hand)

    def sweep_all() -> None:
        parts = poller()
        if not parts.asked.fresh(["sweep"], seconds=parts.sweep_seconds / 2):
            return  # they have queued up while every worker was busy: one is enough
        parts.throttles.tell(parts.brake.obey, wait=False)
        ask_for_nights(parts.nights.store.due(parts.clock.now()), parts.polls, parts.asked)
        end_pauses(parts.customers, parts.polls, parts.clock.now())
        feed_batches(parts.batches, parts.deliveries, parts.polls, parts.clock)
        sweep(parts.overview, parts.deliveries, parts.polls, parts.asked, parts.clock)
        repair(parts.customers.served, parts.deliveries, parts.asked)
        ask_for_checks(parts.overview.mapped, parts.deliveries, parts.asked, parts.clock.now())
        prune(parts.pages, parts.asked, parts.clock, parts.pages_kept_for)

    declare_task(app, POLL, poll)
    declare_task(app, SWEEP, sweep_all)


def poll_customer(
    poller: Poller,
    customer_id: str,
    layer: Layer = Layer.POLL,
    resources: Sequence[str] | None = None,
    *,
    by_hand: bool = False,
) -> None:
    """One run after the other, for these resources of the customer or for all. `by_hand`: also if it is not due.

    A nightly customer's polls are its night's business.
    """
    customer = poller.customers.get(customer_id)
    if is_of_the_night(customer, layer):
        serve(poller.nights, customer, lambda: _read(poller, customer, Layer.NIGHTLY, resources, by_hand=False))
    elif customer.is_active:
        _read(poller, customer, layer, resources, by_hand=by_hand)


def _read(poller: Poller, customer: Customer, layer: Layer, resources: Sequence[str] | None, *, by_hand: bool) -> None:
    poller.plans.renew(customer)
    resources = registry.scanned(customer) if resources is None and LAYER_TERMS[layer].is_whole else resources
    wanted = [resource for resource in poller.resources(customer) if resources is None or resource in resources]
    for number, resource in enumerate(wanted):
        if poller.run_parts.is_stopping():
            # The next turn may be an hour away.
            poller.polls.publish(customer.customer_id, customer.lane, layer=layer, resources=wanted[number:])
            return
        runs.run(poller.run_parts, customer, resource, layer, only_if_due=LAYER_TERMS[layer].at_slots and not by_hand)
