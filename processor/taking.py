"""What a slice takes: one free partition of a customer, and further ones while they do not fill a request."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from common.domain.customers import Customer
from common.domain.events import Event
from common.domain.stores import Held
from processor.slices import SliceParts


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Due events, and the locks of their partitions. Implements `Held` for all of them together."""

    events: Sequence[Event]
    locks: Sequence[Held]

    def verify(self) -> None:
        for lock in self.locks:
            lock.verify()


def take(parts: SliceParts, customer: Customer, until_then: ExitStack) -> Taken:
    """At most `slice_events`, so that a customer of many partitions has no longer turns than one of few.

    The locks are held until `until_then` is closed.
    """
    events: list[Event] = []
    locks: list[Held] = []
    enough = min(parts.slice_events, parts.batch_size(customer))
    for partition in parts.store.due_partitions(customer.customer_id, parts.clock.now()):
        if len(events) >= enough:
            break
        with ExitStack() as own:
            held = own.enter_context(parts.locks.try_hold(f"partition/{customer.customer_id}/{partition}"))
            found = [] if held is None else _read(parts, customer, partition, parts.slice_events - len(events))
            if held is not None and found:
                until_then.push(own.pop_all())
                locks.append(held)
                events += found
    return Taken(events=events, locks=locks)


def _read(parts: SliceParts, customer: Customer, partition: int, limit: int) -> Sequence[Event]:
    return parts.store.read_slice(customer.customer_id, partition, parts.clock.now(), limit)
