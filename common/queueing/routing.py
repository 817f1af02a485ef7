"""Where a task goes when a person calls it by name: `celery call poller.poll` names a customer, not a queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.domain.customers import Lane
from common.queueing.celery_app import plain_queue
from common.queueing.names import CHECK_MAPPING, DELIVER, POLL, PROBE, events_queue, poll_queue


def route_by_customer(lane_of: Callable[[str], Lane]) -> Callable[..., dict[str, Any] | None]:
    """A Celery router: polls to the lane of their customer, the rest to the customer's own queue."""

    def route(name: str, _args: Any, kwargs: Any, options: Any, **_: Any) -> dict[str, Any] | None:
        if (options or {}).get("queue") is not None:
            return None  # whoever publishes from the product knows where to
        customer_id = (kwargs or {}).get("customer_id")
        if not isinstance(customer_id, str):
            return None
        if name == POLL:
            return {"queue": plain_queue(poll_queue(lane_of(customer_id)))}
        if name in (DELIVER, CHECK_MAPPING, PROBE):
            return {"queue": plain_queue(events_queue(customer_id))}
        return None

    return route
