"""What Flower is told: all customers' queues, cold ones too.

Flower shows the queues that some worker reports, and a worker consumes a name per lane that stands for them all. So the
inspect command `active_queues` is replaced by one that reports the queue of every customer of its lanes instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from celery.worker.control import Panel, inspect_command

from common.domain.customers import Lane
from common.queueing.names import LANE_PREFIX, events_queue, lane_queue


def report_all_queues(customer_ids: Callable[[Collection[Lane]], Sequence[str]]) -> None:
    """Replace `active_queues` in this worker process; `customer_ids` tells whose queues belong to some lanes."""

    def active_queues(state: Any) -> list[dict[str, Any]]:
        consumed = [dict(queue.as_dict(recurse=True)) for queue in state.consumer.task_consumer.queues or ()]
        ordinary = [queue for queue in consumed if not queue["name"].startswith(LANE_PREFIX)]
        lanes = {lane for lane in Lane if any(queue["name"] == lane_queue(lane) for queue in consumed)}
        return ordinary + [_row(events_queue(customer_id)) for customer_id in customer_ids(lanes)]

    Panel.data.pop("active_queues", None)
    inspect_command()(active_queues)


def _row(name: str) -> dict[str, Any]:
    """The fields that Flower and `celery inspect active_queues` read."""
    return {
        "name": name,
        "exchange": {"name": "", "type": "direct"},
        "routing_key": name,
        "durable": True,
        "exclusive": False,
        "auto_delete": False,
        "no_ack": False,
        "alias": None,
        "bindings": [],
        "queue_arguments": None,
        "binding_arguments": None,
    }
