"""Ask for a poll of a customer.

Polls of the schedule are asked for once: while one waits, the next is not added to it. So a queue that is longer than
a cadence holds everybody's poll one time, and keeps its order. Were a poll to expire with the next one instead, then
those with the shortest cadence, which are the best customers, would be served least when pollers are busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from celery import Celery
from redis.exceptions import RedisError

from common.domain.customers import Lane
from common.domain.layers import Layer
from common.queueing.asked import Asked
from common.queueing.celery_app import plain_queue
from common.queueing.names import POLL, poll_queue


class Polls:
    """Publishes polls to the lane's queue."""

    def __init__(self, app: Celery, asked: Asked | None = None) -> None:
        """`asked` None: nothing is remembered, and every poll is published."""
        self._app = app
        self._asked = asked
        self._queues = {lane: plain_queue(poll_queue(lane)) for lane in Lane}

    def publish(
        self,
        customer_id: str,
        lane: Lane,
        *,
        layer: Layer = Layer.POLL,
        resources: Sequence[str] | None = None,
        expires_seconds: float | None = None,
        once: bool = False,
        producer: Any = None,
    ) -> None:
        """A poll that nobody took within `expires_seconds` is dropped: the next one will do.

        `resources` None: all. `producer`: for who publishes many. `once`: not if such a poll waits already.
        """
        name = _name(customer_id, layer, resources)
        if once and self._asked is not None and self._asked.is_asked(name):
            return
        arguments: dict[str, Any] = {"customer_id": customer_id}
        if layer is not Layer.POLL:
            arguments["layer"] = str(layer)
        if resources is not None:
            arguments["resources"] = list(resources)
        self._app.send_task(
            POLL,
            kwargs=arguments,
            queue=self._queues[lane],
            expires=expires_seconds,
            argsrepr="()",
            kwargsrepr=repr(arguments),
            producer=producer,
        )
        # Afterwards: a poll that could not be published must not look like one that waits.
        if once and self._asked is not None and expires_seconds is not None:
            self._asked.note(name, seconds=expires_seconds)

    def taken(self, customer_id: str, layer: Layer, resources: Sequence[str] | None) -> None:
        """It waits no more: the schedule may ask again. A broker that is away will not hold it up."""
        if self._asked is not None:
            with suppress(RedisError):
                self._asked.forget(_name(customer_id, layer, resources))

    def producer(self) -> Any:
        """A context manager of one connection for many polls."""
        return self._app.producer_or_acquire()


def _name(customer_id: str, layer: Layer, resources: Sequence[str] | None) -> str:
    return f"poll/{customer_id}/{layer}/{','.join(resources or ())}"
