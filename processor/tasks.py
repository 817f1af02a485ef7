"""The processor's tasks: decode, call a plain function, see to what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from celery import Celery

from common.domain.customers import Customer, Mode
from common.queueing.names import CHECK_MAPPING, DELIVER, PROBE
from common.queueing.tasks import declare_task
from processor.bootstrap import Processor
from processor.delivery import deliver
from processor.probing import note_destination
from processor.slices import SliceParts
from processor.targets import check_targets

#: How long a delivery is put back when nobody knows when the next night comes: there was none yet.
NIGHT_UNKNOWN = timedelta(minutes=15)


def declare_tasks(app: Celery, processor: Callable[[], Processor]) -> None:
    """Register `processor.deliver`, `.check_mapping` and `.probe`; `processor` is called at the first message."""
    declare_task(app, DELIVER, lambda customer_id: deliver_to(processor(), customer_id))
    declare_task(app, PROBE, lambda customer_id: probe_destination_of(processor(), customer_id))
    declare_task(app, CHECK_MAPPING, lambda customer_id: check_mapping_of(processor(), customer_id))


def deliver_to(processor: Processor, customer_id: str) -> None:
    """Apply a slice; publish again at the tail if more is due."""
    customer = processor.customers.get(customer_id)
    if not _may_work(processor, customer) or _lingers(processor, customer):
        return
    with processor.metrics.slices.labels(customer.lane).time():
        applied = deliver(_within_the_window(processor, customer), customer)
    if applied:
        _see_to_the_rest(processor, customer)


def probe_destination_of(processor: Processor, customer_id: str) -> None:
    """For the night that asks for it; one that is paused meanwhile ends without."""
    customer = processor.customers.get(customer_id)
    if customer.is_active:
        note_destination(processor.slice_parts, processor.nights, customer)


def check_mapping_of(processor: Processor, customer_id: str) -> None:
    """Of one that is parked or paused when the message is taken, later: the sweep asks for it again."""
    customer = processor.customers.get(customer_id)
    if customer.is_active and not customer.is_parked(processor.clock.now()):
        check_targets(processor.slice_parts, processor.references, customer)


def _may_work(processor: Processor, customer: Customer) -> bool:
    """A delivery of a paused customer is dropped, for resuming publishes anew; a parked one waits its time."""
    if customer.parked_until is not None and customer.is_parked(processor.clock.now()):
        processor.deliveries.park(customer.customer_id, customer.lane, customer.parked_until)
        return False
    return customer.may_be_applied and (customer.mode is not Mode.NIGHTLY or _is_its_night(processor, customer))


def _is_its_night(processor: Processor, customer: Customer) -> bool:
    """Else the message goes back until the next window; while a night is open, that says when it comes to applying."""
    now = processor.clock.now()
    window = processor.nights.window(customer.customer_id, now)
    if window.until is None and not window.is_night:
        later = now + NIGHT_UNKNOWN
        until = window.next_at if window.next_at is not None and window.next_at > now else later
        processor.deliveries.put_back(customer.customer_id, customer.lane, until)
    return window.until is not None


def _within_the_window(processor: Processor, customer: Customer) -> SliceParts:
    """A slice ends with the night's window: at its deadline at the latest, but for the request that is out."""
    parts = processor.slice_parts
    if customer.mode is not Mode.NIGHTLY:
        return parts
    now = processor.clock.now()
    until = processor.nights.window(customer.customer_id, now).until or now
    return replace(parts, slice_seconds=min(parts.slice_seconds, (until - now).total_seconds()))


def _lingers(processor: Processor, customer: Customer) -> bool:
    """Less than a batch, all of it fresh: the message goes back, and is served when more can no longer be waited for.

    Nothing is locked, taken or written. A message or a hint that is lost on the way is the sweep's business.
    """
    now, parts = processor.clock.now(), processor.slice_parts
    batch_size = parts.batch_size(customer)
    found = parts.store.gathering(customer.customer_id, now, batch_size)
    until = processor.linger.until(found, batch_size, now)
    if until is None:
        return False
    processor.deliveries.put_back(customer.customer_id, customer.lane, until)
    return True


def _see_to_the_rest(processor: Processor, customer: Customer) -> None:
    """More that is due goes to the tail. What is due later is the sweep's business."""
    now = processor.clock.now()
    after = processor.customers.get(customer.customer_id)
    if after.parked_until is not None and after.is_parked(now):
        processor.deliveries.park(customer.customer_id, customer.lane, after.parked_until)
    elif after.may_be_applied and processor.slice_parts.store.due_partitions(customer.customer_id, now):
        processor.deliveries.publish(customer.customer_id, customer.lane, by="tail")
