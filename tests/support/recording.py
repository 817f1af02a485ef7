"""The poller's loop on twins: a run over a pretended source, killed and continued at will."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from common.domain.backlog import BacklogLimits
from common.domain.clock import ManualClock
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.metrics.catalogue import Metrics
from common.storage.memory.backlog import MemoryBacklog
from common.storage.memory.breakers import MemoryBreakers
from common.storage.memory.customers import MemoryCustomerStore
from common.storage.memory.delivery import MemoryDeliveryStore
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.locks import LockServer, MemoryLocks
from common.storage.memory.sizes import MemorySizes
from common.storage.memory.tables import MemoryTables
from poller import runs
from poller.backpressure import Backpressure
from poller.detectors.incremental import Incremental
from poller.detectors.walk import Walk
from poller.failing import FailureLimit
from poller.run_parts import RunParts
from poller.unreadable import LetterLimit
from support.builders import NOW, a_customer


class PollerRig:
    """One poller's worth of product; give two the same tables and lock server for two workers."""

    def __init__(self, source: Any, **changes: Any) -> None:
        self.clock = ManualClock(NOW)
        self.tables = MemoryTables()
        self.customers = MemoryCustomerStore(self.clock)
        self.customers.add(a_customer())
        self.locks = MemoryLocks(LockServer())
        self.published: list[str] = []
        self.shares: list[str] = []
        self.source = source
        self.metrics = Metrics(CollectorRegistry())
        self.breakers = MemoryBreakers()
        ids = itertools.count(1)
        base = {
            "store": MemoryDetectionStore(self.tables, partitions=4), "customers": self.customers, "locks": self.locks,
            "clock": self.clock, "metrics": self.metrics,
            "walk": Walk(passes=3, absence=timedelta(minutes=5)),
            "detector": Incremental(overlap=timedelta(seconds=30), passes=3), "new_id": lambda: f"id{next(ids)}",
            "random_unit": lambda: 0.0, "open_source": self._open, "slice_seconds": 60.0,
            "publish": lambda customer: self.published.append(customer.customer_id),
            "resources": lambda _customer: self.source.resources, "sizes": MemorySizes(self.tables),
            "breakers": self.breakers, "backpressure": self.backpressure(BacklogLimits()),
            "letter_limit": LetterLimit(count=MemoryDeliveryStore(self.tables).open_dead_letters),
            "failure_limit": FailureLimit(customers=self.customers, clock=self.clock, metrics=self.metrics),
        }  # fmt: skip
        self.parts = RunParts(**{**base, **changes})

    def backpressure(self, limits: BacklogLimits) -> Backpressure:
        backlog = MemoryBacklog(self.tables)
        return Backpressure(backlog=backlog, limits=limits, clock=self.clock, metrics=self.metrics)

    def _open(self, _customer: Any, share: Any) -> Any:
        self.shares.append(share)
        return self.source() if callable(self.source) else self.source

    def run(self, resource: str = USERS) -> Any:
        return runs.run(self.parts, self.customers.get("acme"), resource)

    def checkpoint(self) -> Any:
        return self.tables.rows.checkpoints["acme", USERS, Layer.POLL]

    def mirrored(self) -> dict[str, str]:
        return {entity.source_id: row.body["last_name"] for entity, row in self.tables.mirror.items()}


class KilledError(BaseException):
    """Ends the "process" wherever it is raised: nothing of the product catches it."""


class Killing:
    """Passes every call on to a store, and dies before or after the n-th of all its calls."""

    def __init__(self, store: Any, *, at: int, after: bool) -> None:
        self._store, self._at, self._after = store, at, after
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self._at and not self._after:
                raise KilledError
            result = getattr(self._store, name)(*args, **kwargs)
            if self.calls == self._at:
                raise KilledError
            return result

        return call
