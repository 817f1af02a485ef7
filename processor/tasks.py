"""The processor's task: decode, call a plain function, see to what is left."""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery

from common.domain.customers import Customer
from common.queueing.names import DELIVER
from common.queueing.tasks import declare_task
from processor.bootstrap import Processor
from processor.delivery import deliver


def declare_tasks(app: Celery, processor: Callable[[], Processor]) -> None:
    """Register `processor.deliver`; `processor` is called when the first message arrives."""
    declare_task(app, DELIVER, lambda customer_id: deliver_to(processor(), customer_id))


def deliver_to(processor: Processor, customer_id: str) -> None:
    """Apply a slice; publish again at the tail if more is due."""
    customer = processor.customers.get(customer_id)
    if not _may_work(processor, customer):
        return
    with processor.metrics.slices.labels(customer.lane).time():
        applied = deliver(processor.slice_parts, customer)
    if applied:
        _see_to_the_rest(processor, customer)


def _may_work(processor: Processor, customer: Customer) -> bool:
    """A delivery of a paused customer is dropped, for resuming publishes anew; a parked one waits its time."""
    if customer.parked_until is not None and customer.is_parked(processor.clock.now()):
        processor.deliveries.park(customer.customer_id, customer.lane, customer.parked_until)
        return False
    return customer.is_active


def _see_to_the_rest(processor: Processor, customer: Customer) -> None:
    """More that is due goes to the tail. What is due later is the sweep's business."""
    now = processor.clock.now()
    after = processor.customers.get(customer.customer_id)
    if after.parked_until is not None and after.is_parked(now):
        processor.deliveries.park(customer.customer_id, customer.lane, after.parked_until)
    elif after.is_active and processor.slice_parts.store.due_partitions(customer.customer_id, now):
        processor.deliveries.publish(customer.customer_id, customer.lane, by="tail")
