"""The poller's tasks: decode, call a plain function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from celery import Celery

from common.domain.layers import Layer
from common.queueing.names import POLL, SWEEP
from common.queueing.tasks import declare_task
from poller import runs
from poller.bootstrap import Poller
from poller.resting import end_pauses
from poller.sweep import repair, sweep


def declare_tasks(app: Celery, poller: Callable[[], Poller]) -> None:
    """Register `poller.poll` and `poller.sweep`; `poller` is called when the first message arrives."""

    def poll(customer_id: str, layer: str = Layer.POLL, resources: Sequence[str] | None = None) -> None:
        poll_customer(poller(), customer_id, Layer(layer), resources)

    def sweep_all() -> None:
        parts = poller()
        parts.throttles.tell(parts.brake.obey)
        end_pauses(parts.customers, parts.polls, parts.clock.now())
        sweep(parts.overview, parts.deliveries, parts.polls, parts.asked, parts.clock)
        repair(parts.customers.all, parts.deliveries, parts.asked)

    declare_task(app, POLL, poll)
    declare_task(app, SWEEP, sweep_all)


def poll_customer(
    poller: Poller, customer_id: str, layer: Layer = Layer.POLL, resources: Sequence[str] | None = None
) -> None:
    """One run after the other, for these resources of the customer or for all."""
    customer = poller.customers.get(customer_id)
    if not customer.is_active:
        return
    for resource in poller.resources(customer):
        if resources is None or resource in resources:
            runs.run(poller.run_parts, customer, resource, layer)
