"""Connections to PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

#: A statement that takes longer than this is stuck, not slow: ours touch one customer's page or slice.
STATEMENT_TIMEOUT_MILLISECONDS = 30_000
#: How long to wait for the server to answer a connection attempt.
CONNECT_TIMEOUT_SECONDS = 5
#: Notice a vanished server within about half a minute instead of the kernel's two hours.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4}


def make_engine(database_url: str, *, connections: int, name: str) -> Engine:
    """An engine for one process with at most `connections` sessions; `name` shows in pg_stat_activity."""
    return create_engine(
        database_url,
        pool_size=connections,
        max_overflow=0,
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
