"""Ways to break the product in a child of `crashing`, from outside: the crash points must show each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg

from support.breaking import NeverLooks, Wrapped
from support.crashing import Process


def intent_last(process: Process) -> None:
    """What is to be written is noted together with what came of it, and not before."""
    parts = process.processor.slice_parts
    parts = replace(parts, store=IntentLast(parts.store))
    process.processor = replace(process.processor, slice_parts=parts)


def no_look(process: Process) -> None:
    """After an unknown outcome the worker writes again without looking."""
    parts = process.processor.slice_parts
    parts = replace(parts, open_destination=lambda *args: NeverLooks(process_open(*args)))
    process_open = process.processor.slice_parts.open_destination
    process.processor = replace(process.processor, slice_parts=parts)


def checkpoint_first(process: Process) -> None:
    """The checkpoint moves when a run begins, not with what it has read."""
    parts = process.poller.run_parts
    parts = replace(parts, store=CheckpointFirst(parts.store, process.database))
    process.poller = replace(process.poller, run_parts=parts)


class IntentLast(Wrapped):
    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._kept: list[tuple[Any, ...]] = []

    def begin(self, *given: Any) -> None:
        self._kept.append(given)

    def record(self, *given: Any) -> None:
        while self._kept:
            self._inner.begin(*self._kept.pop(0))
        self._inner.record(*given)


class CheckpointFirst(Wrapped):
    def __init__(self, inner: Any, database: psycopg.Connection[Any]) -> None:
        super().__init__(inner)
        self._database = database

    def start_run(self, **options: Any) -> Any:
        start = self._inner.start_run(**options)
        self._database.execute(
            "UPDATE checkpoints SET position = now() + interval '1 second' WHERE customer_id = %s AND resource = %s",
            (options["customer_id"], options["resource"]),
        )
        return start
