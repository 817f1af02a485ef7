"""A worker whose event loop has gone quiet exits, so that its supervisor starts another.

Celery workers have been seen to stay up, answer nothing and consume nothing after a broker's restart (facts: celery
1.6).
The loop that consumes also runs the subscription's timer; when that stops ticking for long, nothing else will notice.
"""

from __future__ import annotations

import os
import threading

import structlog

from common.domain.clock import Clock

log = structlog.get_logger(__name__)

#: Longer than any reconnect that works (about 51 s for a half-open connection), shorter than anybody's patience.
QUIET_SECONDS = 90.0
CHECK_SECONDS = 5.0
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
