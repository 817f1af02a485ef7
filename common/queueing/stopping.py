"""Whether this worker was asked to stop: what is under way ends at its next page or request, not when its slice does.

Celery waits for its tasks on SIGTERM. A supervisor does not wait for long, and what it kills is found only when a lock
or a lease is missed.
"""

from __future__ import annotations

import threading
from typing import Any

from celery.signals import worker_shutting_down


class Stopping:
    """Call it: True once it was asked."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def __call__(self) -> bool:
        return self._asked.is_set()

    def ask(self, **_signal: Any) -> None:
        self._asked.set()


def keep_stopping() -> Stopping:
    """One that the worker's own signal asks."""
    stopping = Stopping()
    worker_shutting_down.connect(stopping.ask, weak=False)
    return stopping
