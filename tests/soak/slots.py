"""Locks that are held beside the work that runs: a slot that outlasts its work is a leak.

A partition is held by a delivery of its customer, a run by a poll of it. What runs is what the workers say (Celery's
`inspect active`), what is held is what PostgreSQL says; the two are asked one after the other, so that a difference
counts only if it lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from celery import Celery
from sqlalchemy import Engine, text

from common.queueing.names import DELIVER, POLL
from common.storage.locks import lock_key

#: A 64-bit key is shown in two halves (PostgreSQL documentation, pg_locks).
HELD = "SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks WHERE locktype = 'advisory' AND granted"
BITS = 64
#: Seconds that a worker has to say what it does, and between two looks at a difference.
ANSWER_SECONDS = 2.0
MOMENT_SECONDS = 1.0
#: Looks for which a difference must last.
LOOKS = 4


@dataclass(frozen=True, kw_only=True)
class Slots:
    engine: Engine
    #: By the lock's key, the task and customer that may hold it.
    owners: Mapping[int, tuple[str, str]]
    #: What all workers do just now; None if one of them is silent: of that one nobody knows.
    running: Callable[[], Collection[tuple[str, str]] | None]
    pause: Callable[[float], object] = Event().wait

    def use_of(self) -> Iterator[tuple[str, float]]:
        held = self._held()
        yield "slots held", float(len(held))
        left = self._left(held)
        if left is not None:
            yield "slots without work", float(len(left))

    def _left(self, suspects: Collection[int]) -> Collection[int] | None:
        """Of these, those that were held without their work at every look; None if a worker was silent each time."""
        is_known = not suspects
        for _ in range(LOOKS if suspects else 0):
            running = self.running()
            if running is not None:
                is_known = True
                suspects = {key for key in suspects if self.owners[key] not in running} & self._held()
            if not suspects:
                break
            self.pause(MOMENT_SECONDS)
        return suspects if is_known else None

    def _held(self) -> set[int]:
        with self.engine.connect() as connection:
            keys = {signed(int(key)) for key in connection.execute(text(HELD)).scalars()}
        return keys & self.owners.keys()


def what_runs(app: Celery, workers: int) -> Collection[tuple[str, str]] | None:
    """Tasks and customers, by the workers' own word; None unless so many workers answer."""
    answers = app.control.inspect(timeout=ANSWER_SECONDS, limit=workers).active() or {}
    if len(answers) < workers:
        return None
    return {work_of(task) for tasks in answers.values() for task in tasks}


def work_of(task: Mapping[str, Any]) -> tuple[str, str]:
    return task["name"], str(task["kwargs"].get("customer_id", ""))


def owners_of(customer_ids: Sequence[str], resources: Sequence[str], partitions: int) -> Mapping[int, tuple[str, str]]:
    """Every lock that work of these customers may hold."""
    deliveries = {
        lock_key(f"partition/{name}/{number}"): (DELIVER, name) for name in customer_ids for number in range(partitions)
    }
    runs = {lock_key(f"run/{name}/{resource}"): (POLL, name) for name in customer_ids for resource in resources}
    return {**deliveries, **runs}


def signed(key: int) -> int:
    """Of 64 bits."""
    key %= 1 << BITS
    return key - (1 << BITS) if key >> (BITS - 1) else key
