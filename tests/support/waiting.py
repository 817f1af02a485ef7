"""Wait for a condition with a deadline; never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: How long a look takes to be worth repeating, in seconds.
PAUSE_SECONDS = 0.05


def wait_until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """The first truthy value of `condition`. Raises AssertionError, saying what was waited for, at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s: still waiting for {what}; last value: {value!r}")
        time.sleep(PAUSE_SECONDS)
