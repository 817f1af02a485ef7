"""Put a delivery on a customer's queue: "apply a slice of this customer". It carries the id and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from common.domain.clock import Clock
from common.domain.customers import Lane
from common.metrics.catalogue import Metrics
from common.queueing.celery_app import plain_queue
from common.queueing.hot_set import HotSet
from common.queueing.names import DELIVER, events_queue

log = structlog.get_logger(__name__)

#: What a broker that is away raises, by way of kombu and of our own client.
BROKER_ERRORS = (OperationalError, RedisError)


class Deliveries:
    """Publishes deliveries and keeps the hot set."""

    def __init__(self, app: Celery, hot_set: HotSet, clock: Clock, metrics: Metrics) -> None:
        self._app = app
        self._hot_set = hot_set
        self._clock = clock
        self._metrics = metrics

    def publish(self, customer_id: str, lane: Lane, *, by: str) -> None:
        """Push, then make hot: in the other order a worker could find the queue empty and drop it.

        A broker that cannot be reached is no error: the work is in PostgreSQL, and the sweep says it again.
        """
        try:
            self._push(customer_id)
            self._hot_set.add(lane, customer_id)
        except BROKER_ERRORS as error:
            log.warning("delivery not published", action="delivery.unpublished", error=type(error).__name__)
            return
        self._metrics.deliveries_published.labels(by).inc()

    def _push(self, customer_id: str) -> None:
        self._app.send_task(
            DELIVER,
            kwargs={"customer_id": customer_id},
            queue=plain_queue(events_queue(customer_id)),
            kwargsrepr=f"{{'customer_id': '{customer_id}'}}",
        )

    def park(self, customer_id: str, lane: Lane, until: datetime) -> None:
        """Keep workers from a queue that may not be served yet; only a hint, like all of Redis."""
        self._hint(lambda: self._hot_set.park(lane, customer_id, until))

    def _hint(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except BROKER_ERRORS as error:
            log.warning("hot set not updated", action="delivery.hint_lost", error=type(error).__name__)

    def restore(self, customer_id: str, lane: Lane, *, by: str) -> bool:
        """Make sure a customer with due work has a message and is hot. True if a message was missing."""
        missing = self._hot_set.depths([customer_id])[customer_id] == 0
        if missing:
            self.publish(customer_id, lane, by=by)
        self._hot_set.make_due(lane, customer_id)
        return missing
