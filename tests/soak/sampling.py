"""A sample of everything, every few seconds, kept as series by name."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from redis import Redis
from sqlalchemy import Engine

from soak import broker, database, processes
from soak.slots import Slots
from soak.trend import Point


@dataclass(kw_only=True)
class Sampler:
    engine: Engine
    redis: Redis
    slots: Slots
    #: Process ids by name, as they are now.
    pids: Callable[[], Mapping[str, int]]
    clock: Callable[[], float] = time.monotonic
    series: dict[str, list[Point]] = field(default_factory=lambda: defaultdict(list))
    _began: float | None = None

    def sample(self) -> None:
        self._note(self._everything())

    def sample_at_rest(self) -> None:
        """Only what must be given back by then: with nothing to do, less is used, and that is no trend."""
        self._note(self.slots.use_of())

    def _note(self, values: Iterator[tuple[str, float]]) -> None:
        now = self.clock()
        self._began = now if self._began is None else self._began
        for name, value in values:
            self.series[name].append(Point(at=now - self._began, value=value))

    def latest(self, name: str) -> float:
        points: Sequence[Point] = self.series.get(name, ())
        return points[-1].value if points else 0.0

    def _everything(self) -> Iterator[tuple[str, float]]:
        yield from processes.use_of(self.pids())
        yield from database.use_of(self.engine)
        yield from broker.use_of(self.redis)
        yield from self.slots.use_of()
