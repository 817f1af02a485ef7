"""A worker whose event loop has gone quiet exits, so that its supervisor starts another.

Celery workers have been seen to stay up, answer nothing and consume nothing after a broker's restart (facts: celery
1.6). A timer in the loop that consumes feeds the watchdog while Redis answers that loop; when the loop stops, or turns
without ever being answered, nothing else will notice.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import structlog
from celery import Celery, bootsteps
from celery.worker.consumer.tasks import Tasks

from common.domain.clock import Clock

log = structlog.get_logger(__name__)

#: Longer than any reconnect that works (about 51 s for a half-open connection), shorter than anybody's patience.
QUIET_SECONDS = 90.0
CHECK_SECONDS = 5.0
#: How often the consuming loop feeds it.
FEED_SECONDS = 1.0
#: A pop is answered within a second or two; after this long without an answer the loop is not fed.
ANSWER_SECONDS = 30.0
#: sysexits' EX_SOFTWARE: told apart from a stop in the supervisor's log.
EXIT_CODE = 70


class Watchdog:
    """Fed by `alive`; once fed, exits the process when the feeding stops."""

    def __init__(self, clock: Clock, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._clock = clock
        self._quiet_seconds = quiet_seconds
        self._fed_at: float | None = None
        self._starting = threading.Lock()

    def alive(self) -> None:
        with self._starting:
            first, self._fed_at = self._fed_at is None, self._clock.monotonic()
        if first:
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def is_quiet(self) -> bool:
        return self._fed_at is not None and self._clock.monotonic() - self._fed_at > self._quiet_seconds

    def _watch(self) -> None:
        nap = threading.Event()
        while not self.is_quiet():
            nap.wait(CHECK_SECONDS)
        log.error("worker went quiet; leaving for the supervisor", action="watchdog.exit")
        os._exit(EXIT_CODE)


def keep_watch(app: Celery, watchdog: Watchdog) -> None:
    """Have the app's workers feed the watchdog."""

    class Watch(bootsteps.StartStopStep):
        requires = (Tasks,)

        def __init__(self, _parent: Any, **_: Any) -> None:
            self.timer: Any = None

        def start(self, parent: Any) -> None:
            def feed() -> None:
                if is_consuming(parent.task_consumer.channel):
                    watchdog.alive()

            self.timer = parent.timer.call_repeatedly(FEED_SECONDS, feed)

        def stop(self, _parent: Any) -> None:
            if self.timer is not None:
                self.timer.cancel()

    app.steps["consumer"].add(Watch)


def is_consuming(channel: Any) -> bool:
    """True while Redis answers its pops, or no pop is due since all of the worker's slots are taken."""
    return not channel.qos.can_consume() or time.monotonic() - channel.answered_at < ANSWER_SECONDS
