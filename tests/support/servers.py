"""Real PostgreSQL and Redis for tests: embedded ones, or scratch corners of the servers that are given."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from common.storage import (
    attempt_tables,
    batch_tables,
    deletion_tables,
    identity_tables,
    page_tables,
    tables,
    verified_tables,
)
from common.storage.columns import metadata
from common.storage.schema import upgrade
from deploy.local.servers import embedded_servers

#: Whose tables the metadata knows, now that they are imported.
MODULES = (tables, attempt_tables, batch_tables, identity_tables, deletion_tables, page_tables, verified_tables)

#: Of a given Redis only this database is used, and emptied, by tests.
SCRATCH_REDIS_DATABASE = 15


@dataclass(frozen=True)
class Servers:
    database_url: str
    broker_url: str

    @property
    def environment(self) -> Mapping[str, str]:
        return {"FLEET_DATABASE_URL": self.database_url, "FLEET_BROKER_URL": self.broker_url}


@contextmanager
def test_servers(state_dir: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Servers]:
    """Servers with an empty database at the newest schema."""
    given_database = environ.get("FLEET_DATABASE_URL")
    given_broker = environ.get("FLEET_BROKER_URL")
    broker = f"{given_broker.rsplit('/', 1)[0]}/{SCRATCH_REDIS_DATABASE}" if given_broker else None
    with (
        embedded_servers(state_dir, database_url=given_database, broker_url=broker, durable=False) as endpoints,
        _scratch_database(endpoints.database_url) as database_url,
    ):
        yield Servers(database_url=database_url, broker_url=endpoints.broker_url)


@contextmanager
def _scratch_database(server_url: str) -> Iterator[str]:
    """A database of its own, so that no test ever touches one with data in it."""
    name = f"syncfleet_test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    engine = create_engine(url)
    upgrade(engine)
    engine.dispose()
    try:
        yield url
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def empty(engine: Engine) -> None:
    """Delete every row of every table."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def flush(redis: Redis) -> None:
    redis.flushdb()
