"""A worker step that consumes the queues at the head of the hot set, and no others.

Why: the Redis transport names every subscribed queue at every pop, which costs 1.3 ms a task at ten queues and 19 ms at
5,000. Consuming only the hot ones costs what ten cost, and new customers need no restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from celery import Celery, bootsteps
from celery.worker.consumer.tasks import Tasks
from redis.exceptions import RedisError

from common.domain.clock import Clock
from common.domain.customers import Lane
from common.queueing.celery_app import plain_queue
from common.queueing.hot_set import HotSet
from common.queueing.names import EVENTS_PREFIX, events_queue

log = structlog.get_logger(__name__)

#: How often a worker looks at the hot set.
REFRESH_SECONDS = 0.5
#: Queues a worker consumes at once, over its lanes. More hot customers than that take turns.
LARGEST_SUBSCRIPTION = 50


def follow_hot_set(
    app: Celery, open_hot_set: Callable[[], HotSet], lanes: Sequence[Lane], clock: Clock, beat_alive: Callable[[], None]
) -> None:
    """Make the app's workers follow the hot set of these lanes; `beat_alive` is called at each look."""

    class Subscription(bootsteps.StartStopStep):
        requires = (Tasks,)

        def __init__(self, _parent: Any, **_: Any) -> None:
            self.follower: Follower | None = None
            self.timer: Any = None

        def start(self, parent: Any) -> None:
            self.follower = Follower(parent, open_hot_set(), lanes, clock)
            self.timer = parent.timer.call_repeatedly(REFRESH_SECONDS, self.look)

        def look(self) -> None:
            if self.follower is not None:
                self.follower.refresh()
            beat_alive()

        def stop(self, _parent: Any) -> None:
            if self.timer is not None:
                self.timer.cancel()

    app.steps["consumer"].add(Subscription)


class Follower:
    """Brings one consumer's subscription in line with the hot set."""

    def __init__(self, parent: Any, hot_set: HotSet, lanes: Sequence[Lane], clock: Clock) -> None:
        self._parent = parent
        self._hot_set = hot_set
        self._lanes = lanes
        self._clock = clock

    def refresh(self) -> None:
        """Errors of Redis are left to the consumer, which notices them itself and reconnects."""
        try:
            wanted = self._wanted()
            self._leave_empty()
        except RedisError as error:
            log.warning("hot set not readable", action="subscription.unreadable", error=type(error).__name__)
            return
        consumer = self._parent.task_consumer
        current = {queue.name for queue in consumer.queues if queue.name.startswith(EVENTS_PREFIX)}
        for name in current - wanted:
            consumer.cancel_by_queue(name)
        for name in sorted(wanted - current):
            consumer.add_queue(plain_queue(name))
        if wanted - current:
            consumer.consume()

    def _wanted(self) -> set[str]:
        each = max(1, LARGEST_SUBSCRIPTION // len(self._lanes))
        now = self._clock.now()
        return {events_queue(c) for lane in self._lanes for c in self._hot_set.head(lane, now, each)}

    def _leave_empty(self) -> None:
        """A customer that was added after its message had been taken would stay for nothing."""
        now = self._clock.now()
        for lane in self._lanes:
            head = self._hot_set.head(lane, now, LARGEST_SUBSCRIPTION)
            for customer_id, depth in self._hot_set.depths(head).items():
                if depth == 0:
                    self._hot_set.settle(lane, customer_id, now)
