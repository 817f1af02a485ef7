"""The poller's tasks: decode, call a plain function."""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery

from common.queueing.names import POLL, SWEEP
from common.queueing.tasks import declare_task
from poller import runs
from poller.bootstrap import Poller
from poller.sweep import sweep


def declare_tasks(app: Celery, poller: Callable[[], Poller]) -> None:
    """Register `poller.poll` and `poller.sweep`; `poller` is called when the first message arrives."""

    def poll(customer_id: str) -> None:
        poll_customer(poller(), customer_id)

    def sweep_all() -> None:
        parts = poller()
        sweep(parts.overview, parts.deliveries, parts.polls, parts.clock)

    declare_task(app, POLL, poll)
    declare_task(app, SWEEP, sweep_all)


def poll_customer(poller: Poller, customer_id: str) -> None:
    """One poll for all of the customer's resources, one after the other."""
    customer = poller.customers.get(customer_id)
    if not customer.is_active:
        return
    for resource in poller.resources(customer):
        runs.run(poller.run_parts, customer, resource)
