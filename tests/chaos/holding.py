"""Who holds which of the fleet's advisory locks, and which beat leads."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from support.faults.ways import Side

from chaos.customers import CUSTOMERS
from chaos.processes import local_ports
from chaos.stage import Stage
from common.storage.locks import lock_key
from poller.schedule.scheduler import LEADER_LOCK
from poller.sources.registry import SOURCES

PARTITIONS = 4
#: Seconds between two looks at who leads.
LOOK_SECONDS = 0.1
HOLDERS = text(
    "SELECT a.client_port, l.classid::bigint AS high, l.objid::bigint AS low FROM pg_locks l"
    " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted"
)


def lock_names() -> Mapping[int, str]:
    """Every lock of the chaos customers, by its key."""
    names = [LEADER_LOCK]
    for customer in CUSTOMERS:
        names += [f"partition/{customer.name}/{number}" for number in range(PARTITIONS)]
        names += [f"run/{customer.name}/{resource}" for source in SOURCES.values() for resource in source.resources]
    return {lock_key(name): name for name in names}


NAMES = lock_names()


def holdings(stage: Stage) -> Mapping[int, set[str]]:
    """Names of locks by the port of their session's client. Empty while the database is away."""
    found: dict[int, set[str]] = defaultdict(set)
    try:
        with stage.engine.connect() as connection:
            for row in connection.execute(HOLDERS):
                if name := NAMES.get(_signed(row.high << 32 | row.low)):
                    found[row.client_port].add(name)
    except SQLAlchemyError:
        return {}
    return found


def session_ports(stage: Stage, pid: int) -> set[int]:
    """As PostgreSQL sees them; behind the proxy these are the proxy's own."""
    beyond = {
        link._ends[Side.CLIENT].writer.get_extra_info("peername")[1]:
        link._ends[Side.UPSTREAM].writer.get_extra_info("sockname")[1]
        for link in list(stage.network.database._links)
    }  # fmt: skip
    return {beyond.get(port, port) for port in local_ports(pid)}


def held_by(stage: Stage, pid: int) -> frozenset[str]:
    """What this process holds now."""
    ports = session_ports(stage, pid)
    return frozenset(name for port, names in holdings(stage).items() if port in ports for name in names)


def _signed(key: int) -> int:
    return key - 2**64 if key >= 2**63 else key


class Leads:
    """Looks all the time which session holds the lead: when it changed hands is nowhere else to be read."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="leads", daemon=True)
        #: Unix seconds, and the port of the leader's session.
        self.seen: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()

    def taken_over(self, at: float) -> float | None:
        """When another session led, after the one that led at this moment."""
        before = next((port for moment, port in reversed(self.seen) if moment <= at), None)
        return next((moment for moment, port in self.seen if moment > at and port != before), None)

    def _watch(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            now = time.time()
            leader = next((port for port, names in holdings(self._stage).items() if LEADER_LOCK in names), None)
            if leader is not None and (not self.seen or self.seen[-1][1] != leader):
                self.seen.append((now, leader))
