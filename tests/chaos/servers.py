"""The servers that are shot at: PostgreSQL on an ordinary disk, or on one so small that it can be filled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from support.faults.disks import SmallDisk, small_postgres

from deploy.local.cluster import SUPERUSER, read_password
from deploy.local.endpoints import Endpoints
from deploy.local.servers import embedded_servers

#: Of the small disk: the fleet's work of one attack takes about 100, so that it is full because it was filled.
MEGABYTES = 512


@dataclass(frozen=True, kw_only=True)
class Victims:
    """Where they are, and a way in for us when nobody else gets in."""

    endpoints: Endpoints
    #: A superuser's; every statement on a session of its own.
    engine: Engine
    #: Under PostgreSQL's data; None: an ordinary one.
    disk: SmallDisk | None = None


@contextmanager
def victims(state_dir: Path, *, small_disk: bool) -> Iterator[Victims]:
    """For as long as a `with` block lasts. A small disk begins empty, and is gone afterwards."""
    if not small_disk:
        with embedded_servers(state_dir, database_url=None, broker_url=None) as endpoints:
            yield Victims(endpoints=endpoints, engine=_superuser(endpoints, state_dir))
        return
    directory = state_dir / "small-disk"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with (
        small_postgres(directory, megabytes=MEGABYTES) as postgres,
        embedded_servers(state_dir, database_url=postgres.url, broker_url=None) as endpoints,
    ):
        yield Victims(endpoints=endpoints, engine=_superuser(endpoints, directory), disk=postgres.disk)


def _superuser(endpoints: Endpoints, directory: Path) -> Engine:
    url = make_url(endpoints.database_url).set(username=SUPERUSER, password=read_password(directory))
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
