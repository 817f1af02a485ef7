"""Connections to PostgreSQL."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

#: What a database that is away raises.
OUTAGES: tuple[type[Exception], ...] = (OperationalError, InterfaceError, PoolTimeoutError)
#: A statement that takes longer than this is stuck, not slow: ours touch one customer's page or slice.
STATEMENT_TIMEOUT_MILLISECONDS = 30_000
#: Sessions beyond the pool, opened when needed and closed after use.
OVERFLOW_CONNECTIONS = 40
#: A session used this lately is taken to be alive; an older one is asked first, which costs a round trip. A slice takes
#: a dozen sessions within milliseconds, and asking each time was much of its time. If a trusted one is dead after all,
#: that is an outage as any other, and SQLAlchemy then drops every session of the pool that is as old.
TRUSTED_SECONDS = 5.0
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


#: The same from the server's side: a machine that vanished must give its locks back within seconds, not hours. A
#: transaction that is left open, by a process that was stopped in it, ends too. Units: seconds, but for the last two.
SERVER_OPTIONS = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=10000 -c idle_in_transaction_session_timeout=60000"
)


def make_engine(database_url: str, *, connections: int, name: str) -> Engine:
    """An engine for one process that keeps up to `connections` sessions; `name` shows in pg_stat_activity."""
    engine = create_engine(
        database_url,
        pool_size=connections,
        # More threads than that wait for HTTP at the same time as they wait for us; they get a session of their own.
        max_overflow=OVERFLOW_CONNECTIONS,
        # An error of the database must not carry the row into a log line.
        hide_parameters=True,
        connect_args={
            "application_name": f"syncfleet {name}",
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS} -c timezone=UTC {SERVER_OPTIONS}",
            **KEEPALIVES,
        },
    )
    _ask_the_idle(engine)
    return engine


def reading(engine: Engine) -> Engine:
    """The same sessions for single reads: without a transaction around it, a query is one round trip and not three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _ask_the_idle(engine: Engine) -> None:
    @event.listens_for(engine, "checkin")
    def note(_session: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(session: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(session)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the session is gone") from error  # the pool makes another
