"""Backpressure: a run adds no page to a backlog that has reached its limit; it is put off, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from common.domain.backlog import Backlog, BacklogLimits
from common.domain.clock import Clock
from common.domain.errors import BacklogFull
from common.metrics.catalogue import Metrics

log = structlog.get_logger(__name__)

#: A run that was held back looks again after this: a destination applies some ten events a second at best, so that
#: there is room for pages by then, and a look costs one count.
LOOK_AGAIN_SECONDS = 30.0
#: A run counts for itself what it adds, and asks only this often what others have added: within that time the budget of
#: a customer, 100 requests of 15 records a minute, lets them add 1,500 events at the most, of a limit of 10,000.
ASK_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Backpressure:
    """How much a run may add."""

    backlog: Backlog
    limits: BacklogLimits
    clock: Clock
    metrics: Metrics

    def check(self, customer_id: str, origin: str) -> int:
        """How many events a run of this origin may add now. Raises BacklogFull if it may add none."""
        limit = self.limits.of(origin)
        room = limit - self.backlog.open_events(customer_id, limit)
        if room > 0:
            return room
        log.warning("run is held back", action="run.backpressure", origin=origin, open_events_limit=limit)
        self.metrics.runs_held_back.labels(customer_id, origin).inc()
        until = self.clock.now() + timedelta(seconds=LOOK_AGAIN_SECONDS)
        raise BacklogFull(f"backpressure: {limit} or more events wait to be applied", until=until)

    def watch(self, customer_id: str) -> BacklogWatch:
        return BacklogWatch(self, customer_id)


class BacklogWatch:
    """Asked by one slice of a run before each page; asks the backlog only where it cannot know the answer."""

    def __init__(self, backpressure: Backpressure, customer_id: str) -> None:
        self._backpressure = backpressure
        self._customer_id = customer_id
        #: By origin: events that there is room for as far as we know.
        self._room: dict[str, int] = {}
        self._known_until = 0.0

    def check(self, origin: str) -> None:
        """Raises BacklogFull."""
        now = self._backpressure.clock.monotonic()
        if now >= self._known_until:
            self._room, self._known_until = {}, now + ASK_AGAIN_SECONDS
        if self._room.get(origin, 0) <= 0:
            self._room[origin] = self._backpressure.check(self._customer_id, origin)

    def add(self, events: int) -> None:
        """The run has added so many."""
        self._room = {origin: room - events for origin, room in self._room.items()}
