"""Time as a dependency: nothing else in the product asks the machine what time it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for what is stored, monotonic time for deadlines."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(tz=UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class ManualClock:
    """The twin for tests and simulations: time moves only when told."""

    current: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    elapsed_seconds: float = field(default=0.0)

    def now(self) -> datetime:
        return self.current

    def monotonic(self) -> float:
        return self.elapsed_seconds

    def advance(self, seconds: float) -> None:
        self.current += timedelta(seconds=seconds)
        self.elapsed_seconds += seconds


def require_aware(moment: datetime, field_name: str) -> datetime:
    """Return `moment` in UTC. Raises ValueError, naming the field, for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{field_name} has no time zone; give an aware datetime")
    return moment.astimezone(UTC)
