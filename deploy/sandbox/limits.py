"""Fixed-window request counting, as both services appear to do it."""

import math
from datetime import datetime


class FixedWindow:
    """Counts requests per window aligned to the clock; a window starts at a multiple of its length."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._window = -1
        self._used = 0

    def take(self, now: datetime, limit: int) -> bool:
        """Uses one request, or says that none is left."""
        self._roll(now)
        if self._used >= limit:
            return False
        self._used += 1
        return True

    def remaining(self, now: datetime, limit: int) -> int:
        self._roll(now)
        return max(0, limit - self._used)

    def resets_at(self, now: datetime) -> int:
        """When the next window opens, in unix seconds."""
        return (int(now.timestamp()) // self._seconds + 1) * self._seconds

    def retry_after(self, now: datetime) -> int:
        return max(1, math.ceil(self.resets_at(now) - now.timestamp()))

    def _roll(self, now: datetime) -> None:
        window = int(now.timestamp()) // self._seconds
        if window != self._window:
            self._window, self._used = window, 0
