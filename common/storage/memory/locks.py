"""The twin of `common.storage.locks`: each instance stands for one process, and a shared register for the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from common.domain.errors import LockLost


class LockServer:
    """Which session holds which name."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._owners: dict[str, object] = {}

    def take(self, name: str, session: object) -> bool:
        """False if anybody has it, the same session included."""
        with self._mutex:
            return name not in self._owners and self._owners.setdefault(name, session) is session

    def has(self, name: str, session: object) -> bool:
        with self._mutex:
            return self._owners.get(name) is session

    def give_back(self, name: str, session: object) -> None:
        with self._mutex:
            if self._owners.get(name) is session:
                del self._owners[name]

    def end_name(self, name: str) -> None:
        """One lock is free, whoever held it."""
        with self._mutex:
            self._owners.pop(name, None)

    def end(self, session: object) -> None:
        """Everything a session held is free, as when its connection breaks."""
        with self._mutex:
            self._owners = {name: owner for name, owner in self._owners.items() if owner is not session}


@dataclass(frozen=True)
class MemoryHeld:
    """Implements `common.domain.stores.Held`."""

    name: str
    session: object
    server: LockServer

    def verify(self) -> None:
        if not self.server.has(self.name, self.session):
            raise LockLost(f"lock {self.name} was lost with its connection")


class MemoryLocks:
    """Implements `common.domain.stores.Locks` for one process; give several the same server to let them compete."""

    def __init__(self, server: LockServer | None = None) -> None:
        self._server = server or LockServer()
        self._session = object()

    @contextmanager
    def try_hold(self, name: str) -> Iterator[MemoryHeld | None]:
        session = self._session
        if not self._server.take(name, session):
            yield None
            return
        try:
            yield MemoryHeld(name, session, self._server)
        finally:
            self._server.give_back(name, session)

    def disconnect(self) -> None:
        """Lose every lock, as by a broken connection; what is taken from now on belongs to a new session."""
        session, self._session = self._session, object()
        self._server.end(session)

    def close(self) -> None:
        self.disconnect()
