"""Exclusive ownership by PostgreSQL session advisory locks.

One connection per process carries all of its locks, behind a register of what this process holds, because session locks
are re-entrant: without the register two threads of one process would both get the same partition. A killed process
loses
its connection and with it every lock, in that instant. A process that is only stopped keeps them, which is safe. If the
connection itself breaks (a database restart, a terminated backend), `verify` raises LockLost for everything that was
held
on it; that a request may still be under way then is what intents are for: a new owner waits until an intent's
`settles_at` has passed.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import structlog

from common.domain.errors import LockLost, SystemUnavailable
from common.storage.engine import CONNECT_TIMEOUT_SECONDS, KEEPALIVES, SERVER_OPTIONS

log = structlog.get_logger(__name__)


def lock_key(name: str) -> int:
    """A signed 64-bit key. Two names that collide exclude each other for no reason, which costs time only."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True)
class HeldLock:
    """Implements `common.domain.stores.Held`."""

    name: str
    session: int
    locks: AdvisoryLocks

    def verify(self) -> None:
        self.locks.verify(self)


class AdvisoryLocks:
    """Implements `common.domain.stores.Locks` for one process."""

    def __init__(self, database_url: str, *, application_name: str) -> None:
        self._conninfo = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._application_name = application_name
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection[tuple[bool]] | None = None
        #: Counts connections: a lock taken on an earlier one is gone.
        self._session = 0
        self._held: dict[str, int] = {}

    @contextmanager
    def try_hold(self, name: str) -> Iterator[HeldLock | None]:
        held = self._acquire(name)
        if held is None:
            yield None
            return
        try:
            yield held
        finally:
            self._release(held)

    def verify(self, held: HeldLock) -> None:
        with self._mutex:
            if self._held.get(held.name) != held.session or not self._answers("SELECT true"):
                raise LockLost(f"lock {held.name} was lost with its connection")

    def close(self) -> None:
        with self._mutex:
            self._drop()

    def _acquire(self, name: str) -> HeldLock | None:
        with self._mutex:
            if name in self._held:
                return None
            self._connect()
            if not self._answers(f"SELECT pg_try_advisory_lock({lock_key(name)})"):
                return None
            self._held[name] = self._session
            return HeldLock(name, self._session, self)

    def _release(self, held: HeldLock) -> None:
        with self._mutex:
            if self._held.get(held.name) != held.session:
                return
            del self._held[held.name]
            self._answers(f"SELECT pg_advisory_unlock({lock_key(held.name)})")

    def _connect(self) -> None:
        if self._connection is not None:
            return
        try:
            self._connection = psycopg.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                application_name=f"syncfleet {self._application_name} locks",
                options=f"-c statement_timeout=5000 {SERVER_OPTIONS}",
                **KEEPALIVES,  # type: ignore[arg-type]
            )
        except psycopg.OperationalError as error:
            raise SystemUnavailable(f"no lock connection: {type(error).__name__}", sent=False) from error
        self._session += 1

    def _answers(self, statement: str) -> bool:
        """Run a statement that returns one boolean; False, and no connection, if the server is gone."""
        if self._connection is None:
            return False
        try:
            row = self._connection.execute(statement).fetchone()
        except psycopg.Error as error:
            log.warning("lock connection lost", action="locks.lost", error=type(error).__name__, locks=len(self._held))
            self._drop()
            return False
        return bool(row and row[0])

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            connection.close()
