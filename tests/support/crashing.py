"""A worker in a process of its own that is killed by SIGKILL at a chosen call of the product's seams.

The seams that the bootstrap composes are wrapped here, from outside: nothing in the product knows of it. A call is a
point. The process is alone and has one thread, so that nothing leaves it between the return of one call and the next:
to be killed after call n and before call n + 1 is the same, and killing before each call covers both. The last point is
the end of the turn.
"""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from typing import Any, TextIO

import psycopg

from common.config.settings import Settings, load_settings
from common.domain.layers import Layer
from common.queueing.celery_app import make_app
from common.queueing.names import events_queue
from common.queueing.transport import TRANSPORT
from deploy.sandbox.client import SandboxAdmin
from poller import bootstrap as poller_bootstrap
from poller.tasks import poll_customer
from processor import bootstrap as processor_bootstrap
from processor.tasks import deliver_to
from support.fleet import FAST
from support.hub import MASTER_KEY

#: Turns of a worker before its customer must have come to rest.
MOST_TURNS = 30
#: Seconds of one wait for a message: the queue is on this machine, and a message is there or is not.
POP_SECONDS = 0.02
SETTINGS = {
    **FAST, "FLEET_LINGER_SECONDS": "0", "FLEET_BACKFILL_LINGER_SECONDS": "0", "FLEET_ABSENCE_SECONDS": "0",
    "FLEET_POLL_OVERLAP_SECONDS": "0",
    "FLEET_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
}  # fmt: skip

#: How the paths end by which a POST asks and changes nothing.
QUESTIONS = ("Query", "Search", "FullContact")


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a worker does for a customer: these resources are read, and whatever comes of it is delivered."""

    name: str
    reads: Sequence[tuple[str, Layer]]

    @property
    def resources(self) -> set[str]:
        return {resource for resource, _ in self.reads}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a process works."""

    servers: dict[str, str]
    sandbox_url: str


class Mine:
    """Numbers the points, notes their names, and kills at the chosen one."""

    def __init__(self) -> None:
        self._at: int | None = None
        self._notes: TextIO | None = None
        self.count = 0

    def arm(self, at: int | None, notes: Path | None) -> None:
        """From here on it counts."""
        self.count, self._at = 0, at
        self._notes = notes.open("a") if notes else None

    def pass_by(self, name: str) -> None:
        self.count += 1
        if self._notes:
            self._notes.write(f"{name}\n")
            self._notes.flush()
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, inner: Any, where: str) -> Any:
        return _Mined(inner, self, where)


class _Mined:
    """Every call is a point: `<where>.<method>`; a context manager is one on the way in and one on the way out."""

    def __init__(self, inner: Any, mine: Mine, where: str) -> None:
        self._inner, self._mine, self._where = inner, mine, where

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._mine.pass_by(self._where)
        return self._inner(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return value if not callable(value) else self._mine.around(value, f"{self._where}.{name}")


class MinedLocks:
    def __init__(self, inner: Any, mine: Mine, where: str) -> None:
        self._inner, self._mine, self._where = inner, mine, where

    @contextmanager
    def try_hold(self, name: str) -> Iterator[Any]:
        self._mine.pass_by(f"{self._where}.take")
        with self._inner.try_hold(name) as held:
            yield held
            self._mine.pass_by(f"{self._where}.release")


class MinedTransport:
    """Requests, by method and the kind of path; the answer's arrival is a point of its own."""

    def __init__(self, inner: Any, mine: Mine, where: str) -> None:
        self._inner, self._mine, self._where = inner, mine, where

    @contextmanager
    def stream(self, method: str, url: str, **options: Any) -> Iterator[Any]:
        kind = "read" if method == "GET" or url.endswith(QUESTIONS) else "write"
        self._mine.pass_by(f"{self._where}.{kind} sent")
        with self._inner.stream(method, url, **options) as response:
            self._mine.pass_by(f"{self._where}.{kind} answered")
            yield response


class Process:
    """Poller and processor as their bootstraps compose them, mined."""

    def __init__(self, place: Place, mine: Mine) -> None:
        self.place, self.mine = place, mine
        settings: Settings = load_settings({**SETTINGS, **place.servers})
        self.app = make_app("crashing", place.servers["FLEET_BROKER_URL"], log_format="json", log_level="ERROR")
        self.app.conf.broker_transport = TRANSPORT
        self.poller = self._mined_poller(poller_bootstrap.build(settings, self.app))
        self.processor = self._mined_processor(processor_bootstrap.build(settings, self.app))
        self._admin = SandboxAdmin(place.sandbox_url)

    def connect(self) -> None:
        """In the child that works: up to here nothing was opened that two processes could not share."""
        self._connection = self.app.connection_for_read()
        url = self.place.servers["FLEET_DATABASE_URL"].replace("postgresql+psycopg", "postgresql")
        self.database = psycopg.connect(url, autocommit=True)

    def _mined_poller(self, built: poller_bootstrap.Poller) -> poller_bootstrap.Poller:
        parts, mine = built.run_parts, self.mine
        sources = parts.open_source.__self__  # type: ignore[attr-defined]
        sources = replace(
            sources,
            transport=MinedTransport(sources.transport, mine, "source"),
            budget=mine.around(sources.budget, "poll.budget"),
        )
        parts = replace(
            parts,
            store=mine.around(parts.store, "poll.store"),
            locks=MinedLocks(parts.locks, mine, "poll.lock"),
            publish=mine.around(parts.publish, "poll.publish"),
            open_source=sources.open,
        )
        return replace(built, run_parts=parts)

    def _mined_processor(self, built: processor_bootstrap.Processor) -> processor_bootstrap.Processor:
        parts, mine = built.slice_parts, self.mine
        destinations = parts.open_destination.__self__  # type: ignore[attr-defined]
        destinations = replace(
            destinations,
            transport=MinedTransport(destinations.transport, mine, "destination"),
            budget=mine.around(destinations.budget, "deliver.budget"),
        )
        parts = replace(
            parts,
            store=mine.around(parts.store, "deliver.store"),
            customers=mine.around(parts.customers, "deliver.customers"),
            locks=MinedLocks(parts.locks, mine, "deliver.lock"),
            open_destination=destinations.open,
        )
        deliveries = mine.around(built.deliveries, "deliver.queue")
        return replace(built, slice_parts=parts, deliveries=deliveries)

    def until_rest(self, customer_id: str, story: Story) -> None:
        """Read, deliver, and deliver what had to wait, until nothing is open. Raises if it never comes to rest."""
        for _ in range(MOST_TURNS):
            self.turn(customer_id, story)
            if self._is_at_rest(customer_id):
                return
        raise AssertionError(f"{customer_id} has not come to rest in {MOST_TURNS} turns")

    def turn(self, customer_id: str, story: Story) -> None:
        for resource, layer in story.reads:
            poll_customer(self.poller, customer_id, layer, [resource], by_hand=True)
        for _ in range(MOST_TURNS):
            self._serve(customer_id)
            self._wait_for_imports(customer_id)
            self._make_due(customer_id)
            if not self._open_events(customer_id):
                return
            self.poller.deliveries.restore({customer_id: self._lane(customer_id)}, by="sweep")

    def _serve(self, customer_id: str) -> None:
        """Take its messages one by one; each is acknowledged when its task has ended."""
        channel, taken = self._connection.channel(), []
        channel.basic_consume(events_queue(customer_id), no_ack=False, callback=taken.append, consumer_tag=customer_id)
        while True:
            with suppress(Empty, OSError):
                self._connection.transport.drain_events(self._connection.connection, timeout=POP_SECONDS)
            if not taken:
                channel.close()
                return
            message = channel.message_to_python(taken.pop(0))
            self.mine.pass_by("queue.taken")
            deliver_to(self.processor, customer_id)
            self.mine.pass_by("queue.ack")
            message.ack()
            self.mine.pass_by("queue.acked")

    def _wait_for_imports(self, customer_id: str) -> None:
        deadline = time.monotonic() + 20
        while self._admin.export(customer_id)["destination"]["held"] and time.monotonic() < deadline:
            time.sleep(0.02)

    def _make_due(self, customer_id: str) -> None:
        """Everything that waits for a time is due; intents count as settled, for their process is dead."""
        for statement in (
            "UPDATE events SET retry_at = now() WHERE customer_id = %s AND state IN ('pending', 'submitted')",
            "UPDATE writes SET settles_at = now() WHERE customer_id = %s",
            "UPDATE customers SET parked_until = NULL WHERE customer_id = %s",
            "UPDATE runs SET continue_at = now() WHERE customer_id = %s AND continue_at IS NOT NULL",
        ):
            with suppress(psycopg.errors.UndefinedColumn):
                self.database.execute(statement, (customer_id,))

    def _open_events(self, customer_id: str) -> int:
        query = "SELECT count(*) FROM events WHERE customer_id = %s AND state IN ('pending', 'submitted')"
        row = self.database.execute(query, (customer_id,)).fetchone()
        return int(row[0]) if row else 0

    def _is_at_rest(self, customer_id: str) -> bool:
        return not self._open_events(customer_id)

    def _lane(self, customer_id: str) -> Any:
        return self.poller.customers.get(customer_id).lane
