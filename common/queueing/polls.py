"""Ask for a poll of a customer.

Polls of the schedule are asked for once: while one waits, the next is not added to it. So a queue that is longer than
a cadence holds everybody's poll one time, and keeps its order. Were a poll to expire with the next one instead, then
those with the shortest cadence, which are the best customers, would be served least when pollers are busy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from celery import Celery
from redis.exceptions import RedisError

from common.domain.customers import Lane
from common.domain.layers import Layer
from common.queueing.asked import Asked
from common.queueing.celery_app import plain_queue
from common.queueing.names import POLL, poll_queue

#: While it is being published, a poll counts as waiting for this long: a publisher that is killed in between costs its
#: customer no more.
PUBLISHING_SECONDS = 5.0


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
        arguments: dict[str, Any] = {"customer_id": customer_id}
        if layer is not Layer.POLL:
            arguments["layer"] = str(layer)
        if resources is not None:
            arguments["resources"] = list(resources)
        send = partial(
            self._app.send_task,
            POLL,
            kwargs=arguments,
            queue=self._queues[lane],
            expires=expires_seconds,
            argsrepr="()",
            kwargsrepr=repr(arguments),
            producer=producer,
        )
        if once and self._asked is not None and expires_seconds is not None:
            _send_once(send, self._asked, _name(customer_id, layer, resources), expires_seconds)
        else:
            send()

    def taken(self, customer_id: str, layer: Layer, resources: Sequence[str] | None) -> None:
        """It waits no more: the schedule may ask again. A broker that is away will not hold it up."""
        if self._asked is not None:
            with suppress(RedisError):
                self._asked.forget(_name(customer_id, layer, resources))

    def producer(self) -> Any:
        """A context manager of one connection for many polls."""
        return self._app.producer_or_acquire()


def _send_once(send: Callable[[], object], asked: Asked, name: str, waits_seconds: float) -> None:
    """Noted before it is sent, and only prolonged afterwards: a worker may take it, and forget the name, in between.

    What could not be sent must not look like what waits.
    """
    if not asked.fresh([name], seconds=PUBLISHING_SECONDS):
        return
    try:
        send()
    except Exception:
        with suppress(RedisError):
            asked.forget(name)
        raise
    asked.prolong(name, seconds=waits_seconds)


def _name(customer_id: str, layer: Layer, resources: Sequence[str] | None) -> str:
    return f"poll/{customer_id}/{layer}/{','.join(resources or ())}"
