"""Deliveries by the thousand: one that the product published, copied for every customer."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from celery import Celery
from redis import Redis

from common.domain.customers import Lane
from common.queueing.celery_app import make_app, plain_queue
from common.queueing.names import DELIVER, events_queue, hot_set_key

#: Commands sent to Redis at a time.
BATCH = 5_000
#: All customers of a benchmark of the queues share a lane: between lanes, weights decide.
LANE = Lane.STANDARD


def publisher(broker_url: str) -> Celery:
    """An app as the product makes it, for the driver of a benchmark."""
    return make_app("bench", broker_url, log_format="json", log_level="WARNING")


def published_delivery(app: Celery, redis: Redis) -> dict[str, Any]:
    """A delivery as kombu leaves it in the queue."""
    queue = events_queue("template")
    app.send_task(DELIVER, kwargs={"customer_id": "template"}, queue=plain_queue(queue))
    message: dict[str, Any] = json.loads(redis.rpop(queue))
    return message


class Deliveries:
    """Copies of one published message."""

    def __init__(self, redis: Redis, template: dict[str, Any]) -> None:
        """`redis` is where they are pushed; `template` is a message as it lies in a queue."""
        self._redis = redis
        self._template = template
        self._body = json.loads(base64.b64decode(template["body"]))

    def push(self, customers: Sequence[str], count: int) -> None:
        """`count` messages, spread evenly, as the pages of polls would publish them."""
        _send(self._redis, (("LPUSH", events_queue(name), self.copy(name)) for name in _in_turn(customers, count)))

    def copy(self, customer_id: str) -> str:
        queue, task_id = events_queue(customer_id), str(uuid.uuid4())
        message, properties = self._template, self._template["properties"]
        body = [self._body[0], {"customer_id": customer_id}, self._body[2]]
        return json.dumps(
            {
                **message,
                "body": base64.b64encode(json.dumps(body).encode()).decode(),
                "headers": {**message["headers"], "id": task_id, "root_id": task_id},
                "properties": {
                    **properties,
                    "correlation_id": task_id,
                    "delivery_tag": str(uuid.uuid4()),
                    "delivery_info": {**properties["delivery_info"], "routing_key": queue},
                },
            }
        )


def make_hot(redis: Redis, customers: Iterable[str], since: float) -> None:
    """Hot since `since` (unix seconds), each a little later than the one before; in the future: parked until then."""
    key = hot_set_key(LANE)
    _send(redis, (("ZADD", key, since + place / 1_000_000, name) for place, name in enumerate(customers)))


def _send(redis: Redis, commands: Iterable[tuple[Any, ...]]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
        if len(pipeline) >= BATCH:
            pipeline.execute()
    pipeline.execute()


def _in_turn(customers: Sequence[str], count: int) -> Iterable[str]:
    return (customers[number % len(customers)] for number in range(count))
