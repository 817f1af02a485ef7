"""Ask for a poll of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery

from common.domain.customers import Lane
from common.domain.layers import Layer
from common.queueing.celery_app import plain_queue
from common.queueing.names import POLL, poll_queue


class Polls:
    """Publishes polls to the lane's queue."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._queues = {lane: plain_queue(poll_queue(lane)) for lane in Lane}

    def publish(
        self,
        customer_id: str,
        lane: Lane,
        *,
        layer: Layer = Layer.POLL,
        resources: Sequence[str] | None = None,
        expires_seconds: float | None = None,
        producer: Any = None,
    ) -> None:
        """A poll that nobody took within `expires_seconds` is dropped: the next one will do.

        `resources` None: all. `producer`: for who publishes many.
        """
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

    def producer(self) -> Any:
        """A context manager of one connection for many polls."""
        return self._app.producer_or_acquire()
