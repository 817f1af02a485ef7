"""Task and queue names: a contract with operators, who type them, and with messages that are already on their way."""

from __future__ import annotations

from common.domain.customers import Lane

POLL = "poller.poll"
SWEEP = "poller.sweep"
DELIVER = "processor.deliver"

SWEEP_QUEUE = "sweep"
EVENTS_PREFIX = "events."
POLL_PREFIX = "poll."


def events_queue(customer_id: str) -> str:
    """The customer's own queue: an ordinary Redis list of that name."""
    return EVENTS_PREFIX + customer_id


def poll_queue(lane: Lane) -> str:
    return POLL_PREFIX + lane
