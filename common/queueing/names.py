"""Task and queue names: a contract with operators, who type them, and with messages that are already on their way."""

from __future__ import annotations

from common.domain.customers import Lane

POLL = "poller.poll"
SWEEP = "poller.sweep"
DELIVER = "processor.deliver"
CHECK_MAPPING = "processor.check_mapping"
PROBE = "processor.probe"

SWEEP_QUEUE = "sweep"
EVENTS_PREFIX = "events."
POLL_PREFIX = "poll."
#: What a processor consumes: `lane.priority` stands for the queues of all customers of that lane. No such list exists.
LANE_PREFIX = "lane."
#: Deliveries that are not messages at all; kept for a person to look at.
UNREADABLE = "unreadable"


def events_queue(customer_id: str) -> str:
    """The customer's own queue: an ordinary Redis list of that name."""
    return EVENTS_PREFIX + customer_id


def poll_queue(lane: Lane) -> str:
    return POLL_PREFIX + lane


def lane_queue(lane: Lane) -> str:
    """What a worker that serves the lane consumes."""
    return LANE_PREFIX + lane


def hot_set_key(lane: Lane) -> str:
    """Sorted set of the lane's customers that have messages."""
    return f"hot:{lane}"


def bell(lane: Lane) -> str:
    """List that a worker with nothing to do waits on."""
    return f"bell:{lane}"
