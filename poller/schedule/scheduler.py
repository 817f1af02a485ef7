"""Celery beat, driven by the agenda.

Stock beat walks all entries to send one; this one pops what is due. Of several beats one leads: it holds an
advisory lock, which PostgreSQL gives to another in the instant its process dies.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import structlog
from celery.beat import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from common.config.settings import Settings
from common.domain.errors import LockLost, SyncError
from common.domain.stores import Held
from common.queueing.celery_app import plain_queue
from common.queueing.deliveries import BROKER_ERRORS
from common.queueing.names import SWEEP, SWEEP_QUEUE
from poller.bootstrap import Poller
from poller.schedule.publishing import Publisher
from poller.schedule.timetable import timetable_of

log = structlog.get_logger(__name__)

#: How often a beat that does not lead tries to.
LEADERSHIP_SECONDS = 1.0
#: Longest wait between looks at the agenda.
LONGEST_WAIT_SECONDS = 0.5
LEADER_LOCK = "beat"


def scheduler_class(settings: Settings, poller: Callable[[], Poller]) -> type[Scheduler]:
    """The class that `celery beat` instantiates, with its collaborators bound."""

    class FleetScheduler(Scheduler):
        """Publishes polls and sweeps while it leads."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._beat: Beat | None = None
            super().__init__(*args, **kwargs)

        def setup_schedule(self) -> None:
            self._beat = Beat(settings, poller(), self.app)

        @property
        def schedule(self) -> dict[str, Any]:
            """Nothing for stock code to walk."""
            return {}

        def tick(self, *_: Any, **__: Any) -> float:
            return self._beat.tick() if self._beat else LEADERSHIP_SECONDS

        def close(self) -> None:
            if self._beat:
                self._beat.resign()
            super().close()

    return FleetScheduler


class Beat:
    """What a beat does, apart from Celery."""

    def __init__(self, settings: Settings, poller: Poller, app: Any) -> None:
        self._settings = settings
        self._poller = poller
        self._app = app
        self._leadership = ExitStack()
        self._held: Held | None = None
        self._publisher: Publisher | None = None
        self._sweep_at = 0.0

    def tick(self) -> float:
        """Publish what is due; returns how long to wait, in seconds. A failing database or broker is waited for."""
        try:
            return self._lead() if self._leads() else LEADERSHIP_SECONDS
        except (SyncError, SQLAlchemyError, OSError, *BROKER_ERRORS) as error:
            log.warning("beat cannot work", action="beat.waiting", error=type(error).__name__)
            return LEADERSHIP_SECONDS

    def resign(self) -> None:
        self._leadership.close()
        self._held = self._publisher = None

    def _leads(self) -> bool:
        try:
            if self._held is not None:
                self._held.verify()
                return True
        except LockLost:
            self.resign()
        with ExitStack() as attempt:
            self._held = attempt.enter_context(self._poller.locks.try_hold(LEADER_LOCK))
            if self._held is None:
                return False
            self._leadership = attempt.pop_all()
        log.info("this beat leads", action="beat.leads")
        return True

    def _lead(self) -> float:
        if self._publisher is None:
            # A new leader goes on where the last one stopped, with a list of its own.
            self._publisher = Publisher(self._poller, timetable_of(self._settings))
        wait = self._publisher.publish()
        now = self._poller.clock.monotonic()
        if now >= self._sweep_at:
            self._sweep()
            self._sweep_at = now + self._settings.sweep_seconds
        return min(LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS if wait is None else wait)

    def _sweep(self) -> None:
        # One waits until a worker has a slot, however busy all of them are, and however long. Were each to be added to
        # those that wait, and to expire, then workers who take them slower than they come would meet expired ones only,
        # and no sweep would ever be made.
        if not self._poller.asked.waiting(SWEEP_QUEUE):
            self._app.send_task(SWEEP, queue=plain_queue(SWEEP_QUEUE))
