"""Rests that are over: a pause that was to end by itself has, and the customer is polled again."""

from __future__ import annotations

from datetime import datetime

import structlog

from common.queueing.polls import Polls
from common.storage.customers import PostgresCustomerStore

log = structlog.get_logger(__name__)


def end_pauses(customers: PostgresCustomerStore, polls: Polls, now: datetime) -> int:
    """How many customers went back to work. Their deliveries are the sweep's next business."""
    ended = customers.end_pauses(now)
    for customer in ended:
        log.info("pause is over", action="customer.pause_over", customer_id=customer.customer_id)
        polls.publish(customer.customer_id, customer.lane)
    return len(ended)
