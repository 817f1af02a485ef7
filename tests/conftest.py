"""Fixtures for every level. What starts a server is asked for by name, so that unit tests start nothing."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine
from support.fleet import FAST, Fleet, running_fleet
from support.hub import MASTER_KEY, Hub
from support.servers import Servers, empty, flush, test_servers

from deploy.sandbox.client import Access, SandboxAdmin
from deploy.sandbox.process import start_sandbox

#: What `make test` was called with, before the environment is cleaned.
GIVEN = {name: os.environ[name] for name in ("FLEET_DATABASE_URL", "FLEET_BROKER_URL") if name in os.environ}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End to end, whole fleets of processes work against deadlines; the others share the machine."""
    for item in items:
        if "e2e" in item.path.parts and "start_fleet" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the caller's shell leaks into a test."""
    for name in list(os.environ):
        if name.startswith("FLEET_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with test_servers(tmp_path_factory.mktemp("servers"), GIVEN) as running:
        yield running


@pytest.fixture(scope="session")
def shared_engine(servers: Servers) -> Iterator[Engine]:
    # Tests end sessions on purpose: the next one asks before it uses what is left of them.
    engine = create_engine(servers.database_url, pool_size=20, pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    """A database without rows."""
    empty(shared_engine)
    return shared_engine


@pytest.fixture
def redis(servers: Servers) -> Iterator[Redis]:
    """A Redis without keys."""
    client = Redis.from_url(servers.broker_url)
    flush(client)
    yield client
    client.close()


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with start_sandbox(seed=7) as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[SandboxAdmin]:
    """The stand-in APIs, without faults."""
    with SandboxAdmin(sandbox_url) as admin:
        admin.clear_faults()
        yield admin
        admin.clear_faults()


@pytest.fixture
def hub(engine: Engine, servers: Servers, redis: Redis) -> Iterator[Hub]:
    """One worker's worth of product on real servers."""
    built = Hub(engine=engine, servers=servers, redis=redis)
    yield built
    built.close()


@pytest.fixture
def organization(sandbox: SandboxAdmin, request: pytest.FixtureRequest) -> Callable[..., Access]:
    """Make an organization in the sandbox with a name no other test has, the same on each run: records follow it."""
    stem = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    mark = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:6]
    counter = itertools.count(1)

    def make(users: int = 20, **settings: Any) -> Access:
        name = f"{stem}-{next(counter)}-{mark}"
        generous = {
            "volunteer_requests_per_minute": 100_000,
            "crm_requests_per_hour": 1_000_000,
            "import_mode": "at_once",
        }
        return sandbox.create_organization(name, users=users, **{**generous, **settings})

    return make


@pytest.fixture
def start_fleet(servers: Servers, engine: Engine, redis: Redis, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Start a fleet of real processes, on `servers` if given; it stops with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Fleet:
            settings = options.pop("settings", {})
            environment = {**os.environ, **FAST, "FLEET_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(), **settings}
            reached = options.pop("servers", servers)
            return stack.enter_context(running_fleet(reached, tmp_path, environment, **options))

        yield start
