"""A worker in a process of its own that is killed by SIGKILL at a chosen call of the product's seams.

The seams that the bootstrap composes are wrapped here, from outside: nothing in the product knows of it. A call is a
point. The process is alone and has one thread, so that nothing leaves it between the return of one call and the next:
to be killed after call n and before call n + 1 is the same, and killing before each call covers both. The last point is
the end of the turn.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty
from typing import Any

import psycopg
from kombu import pools

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
from support.mining import HTTP_SECONDS, Mine, MinedLocks, MinedTransport

#: Turns of a worker before its customer must have come to rest.
MOST_TURNS = 30
#: Seconds of one wait for a message: the queue is on this machine, and a message is there or is not. Redis is told the
#: same, for a channel that is closed waits for the answer to what it asked.
POP_SECONDS = 0.02
SETTINGS = {
    **FAST, "FLEET_LINGER_SECONDS": "0", "FLEET_BACKFILL_LINGER_SECONDS": "0", "FLEET_ABSENCE_SECONDS": "0",
    "FLEET_POLL_OVERLAP_SECONDS": "0", "FLEET_HTTP_DEADLINE_SECONDS": str(HTTP_SECONDS),
    "FLEET_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
}  # fmt: skip


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


class Process:
    """Poller and processor as their bootstraps compose them, mined."""

    def __init__(self, place: Place, mine: Mine) -> None:
        self.place, self.mine = place, mine
        settings: Settings = load_settings({**SETTINGS, **place.servers})
        self.app = make_app("crashing", place.servers["FLEET_BROKER_URL"], log_format="json", log_level="ERROR")
        self.app.conf.broker_transport = TRANSPORT
        self.app.conf.broker_transport_options = {
            **self.app.conf.broker_transport_options, "brpop_timeout": POP_SECONDS,
        }  # fmt: skip
        self._transports: list[MinedTransport] = []
        self.poller = self._mined_poller(poller_bootstrap.build(settings, self.app))
        self.processor = self._mined_processor(processor_bootstrap.build(settings, self.app))

    def connect(self) -> None:
        """Before it works: up to here nothing is open that two processes could not share."""
        self._admin = SandboxAdmin(self.place.sandbox_url)
        self._connection = self.app.connection_for_read()
        url = self.place.servers["FLEET_DATABASE_URL"].replace("postgresql+psycopg", "postgresql")
        self.database = psycopg.connect(url, autocommit=True)

    def disconnect(self) -> None:
        """What it has compiled stays; nothing is open any more, so that children can be forked."""
        self._admin.close()
        self._connection.release()
        self.database.close()
        pools.reset()
        self.app._after_fork()
        for transport in self._transports:
            transport.renew()
        for built, locks in ((self.poller, self.poller.run_parts), (self.processor, self.processor.slice_parts)):
            built.customers._engine.dispose()
            locks.locks.close()

    def _mined_poller(self, built: poller_bootstrap.Poller) -> poller_bootstrap.Poller:
        parts, mine = built.run_parts, self.mine
        sources = parts.open_source.__self__  # type: ignore[attr-defined]
        sources = replace(
            sources,
            transport=self._mined_transport(sources.transport, "source"),
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
            transport=self._mined_transport(destinations.transport, "destination"),
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

    def _mined_transport(self, inner: Any, where: str) -> MinedTransport:
        self._transports.append(MinedTransport(inner, self.mine, where))
        return self._transports[-1]

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
            self._make_due(customer_id)
            if not self._open_events(customer_id):
                return
            self._wait_for_imports(customer_id)
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
            "UPDATE checkpoints SET continue_at = now() WHERE customer_id = %s AND continue_at IS NOT NULL",
        ):
            self.database.execute(statement, (customer_id,))

    def _is_at_rest(self, customer_id: str) -> bool:
        return not self._open_events(customer_id) and not self._open_runs(customer_id)

    def _open_events(self, customer_id: str) -> int:
        """Not those that wait for hours to be final, for weeks: they are where they belong."""
        rows = "events WHERE customer_id = %s AND state IN ('pending', 'submitted') AND waits_for <> 'newer'"
        return self._count(rows, customer_id)

    def _open_runs(self, customer_id: str) -> int:
        """Progress that no run has sealed yet: the next turn goes on from it."""
        return self._count("checkpoints WHERE customer_id = %s AND progress IS NOT NULL", customer_id)

    def _count(self, rows: str, customer_id: str) -> int:
        query = f"SELECT count(*) FROM {rows}".encode()
        row = self.database.execute(query, (customer_id,)).fetchone()
        return int(row[0]) if row else 0

    def _lane(self, customer_id: str) -> Any:
        return self.poller.customers.get(customer_id).lane
