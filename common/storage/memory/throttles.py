"""The twin of the throttles table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from common.domain.customers import Lane
from common.domain.throttles import Throttle


class MemoryThrottles:
    """Implements `common.domain.throttles.Throttles`."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, Lane | None], Throttle] = {}
        self._telling = Lock()

    def set(self, throttle: Throttle) -> None:
        self._rows[throttle.system, throttle.lane] = throttle

    def all(self) -> Sequence[Throttle]:
        return sorted(self._rows.values(), key=lambda each: (each.system, each.lane or ""))

    def tell(self, obey: Callable[[Sequence[Throttle]], None], *, wait: bool = True) -> None:
        if not wait and self._telling.locked():
            return
        with self._telling:
            obey(self.all())
