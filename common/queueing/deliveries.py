"""Put a delivery on a customer's queue: "apply a slice of this customer". It carries the id and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def publish(self, customer_id: str, lane: Lane, *, by: str, task: str = DELIVER) -> None:
        """Push, then make hot: in the other order a worker could find the queue empty and drop it.

        `task`: another one of the customer's own, to be served in the same line.

        A broker that cannot be reached is no error: the work is in PostgreSQL, and the sweep says it again.
        """
        try:
            self._push(customer_id, task)
            self._hot_set.add(lane, customer_id)
        except BROKER_ERRORS as error:
            log.warning("delivery not published", action="delivery.unpublished", error=type(error).__name__)
            return
        self._metrics.deliveries_published.labels(by).inc()

    def _push(self, customer_id: str, task: str = DELIVER) -> None:
        self._app.send_task(
            task,
            kwargs={"customer_id": customer_id},
            queue=plain_queue(events_queue(customer_id)),
            kwargsrepr=f"{{'customer_id': '{customer_id}'}}",
        )

    def put_back(self, customer_id: str, lane: Lane, until: datetime) -> None:
        """A delivery that was taken too early, to be served at `until`: the message again, and not hot before then."""
        try:
            self._push(customer_id)
            self._hot_set.park(lane, customer_id, until)
        except BROKER_ERRORS as error:
            log.warning("delivery not put back", action="delivery.unpublished", error=type(error).__name__)
            return
        self._metrics.deliveries_published.labels("linger").inc()

    def park(self, customer_id: str, lane: Lane, until: datetime) -> None:
        """Keep workers from a queue that may not be served yet; only a hint, like all of Redis."""
        self._hint(lambda: self._hot_set.park(lane, customer_id, until))

    def _hint(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except BROKER_ERRORS as error:
            log.warning("hot set not updated", action="delivery.hint_lost", error=type(error).__name__)

    def restore(self, due: Mapping[str, Lane], *, by: str) -> int:
        """Make sure that customers with due work, by id, have a message and may be served; returns how many had none.

        Only what is wrong is written: with thousands of customers at work, almost all of them are as they should be.
        """
        now = self._clock.now().timestamp()
        hot = {lane: self._hot_set.members(lane) for lane in set(due.values())}
        missing = [customer_id for customer_id, depth in self._hot_set.depths(due).items() if depth == 0]
        for customer_id in missing:
            self.publish(customer_id, due[customer_id], by=by)
        for customer_id, lane in due.items():
            if hot[lane].get(customer_id, now + 1) > now:
                self._hot_set.make_due(lane, customer_id)
        return len(missing)

    def repair(self, lanes: Mapping[str, Lane]) -> int:
        """Bring the hot sets in line with the lanes of all customers that may work, by id; returns the corrections.

        A customer's change of lane may have been cut short, a dead worker's message returns to a queue that is cold,
        and who was offboarded may still be noted. Reads every queue's length: meant for every half minute or so.
        """
        hot = {lane: set(self._hot_set.members(lane)) for lane in Lane}
        misplaced = [(c, lane) for lane, members in hot.items() for c in members if lanes.get(c) is not lane]
        for customer_id, lane in misplaced:
            self._put_right(customer_id, lane, lanes.get(customer_id))
        cold = lanes.keys() - set().union(*hot.values())
        stray = [customer_id for customer_id, depth in self._hot_set.depths(cold).items() if depth]
        for customer_id in stray:
            self._hot_set.add(lanes[customer_id], customer_id)
        return len(misplaced) + len(stray)

    def _put_right(self, customer_id: str, noted: Lane, true: Lane | None) -> None:
        if true is None:
            self._hot_set.drop(customer_id, noted)
        else:
            self._hot_set.move(customer_id, noted, true)
