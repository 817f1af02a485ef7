"""Connections to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

#: What a database that is away raises.
OUTAGES: tuple[type[Exception], ...] = (OperationalError, InterfaceError, PoolTimeoutError)
#: A statement that takes longer than this is stuck, not slow: ours touch one customer's page or slice.
STATEMENT_TIMEOUT_MILLISECONDS = 30_000
#: Sessions beyond the pool, opened when needed and closed after use.
OVERFLOW_CONNECTIONS = 40
#: How long to wait for the server to answer a connection attempt.
CONNECT_TIMEOUT_SECONDS = 5
#: Notice a vanished server within about half a minute instead of the kernel's two hours.
KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    # Milliseconds; keepalives alone do not bound a query whose bytes are never acknowledged.
    "tcp_user_timeout": 30_000,
}


def make_engine(database_url: str, *, connections: int, name: str) -> Engine:
    """An engine for one process that keeps up to `connections` sessions; `name` shows in pg_stat_activity."""
    return create_engine(
        database_url,
        pool_size=connections,
        # More threads than that wait for HTTP at the same time as they wait for us; they get a session of their own.
        max_overflow=OVERFLOW_CONNECTIONS,
        pool_pre_ping=True,
        # An error of the database must not carry the row into a log line.
        hide_parameters=True,
        connect_args={
            "application_name": f"syncfleet {name}",
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS} -c timezone=UTC",
            **KEEPALIVES,
        },
    )
