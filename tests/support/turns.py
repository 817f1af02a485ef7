"""Two sessions that meet in PostgreSQL: which of them waits for the other."""

from __future__ import annotations

from threading import Thread

from sqlalchemy import Engine


def is_waiting_or_done(engine: Engine, thread: Thread, count: int = 1) -> bool:
    """Whether so many sessions wait for a lock; done at once is what the thread would be if nobody took turns."""
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    with engine.connect() as connection:
        return connection.exec_driver_sql(waiting).scalar_one() >= count or not thread.is_alive()
