"""Each test has a sandbox of its own, so that the auditor judges this test and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from support.faults.endpoints import Proxied, proxied
from support.faults.proxy import running_proxy
from support.hub import Hub
from support.own_sandbox import audited, sandbox, sandbox_url
from support.servers import Servers

from common.storage.engine import OUTAGES, make_engine

__all__ = ["audited", "far_hub", "network", "sandbox", "sandbox_seed", "sandbox_url"]


@pytest.fixture
def sandbox_seed() -> int:
    return 23


@pytest.fixture
def network(servers: Servers, sandbox_url: str) -> Iterator[Proxied]:
    """Every way out, through the proxy."""
    with running_proxy() as proxy:
        yield proxied(proxy, servers, sandbox_url)


@pytest.fixture
def far_hub(network: Proxied, engine: object, redis: Redis) -> Iterator[Hub]:
    """A worker that reaches PostgreSQL and Redis through the proxy; onboard with `network.access`.

    As in production, what a database that is away raises is nobody's defect.
    """
    far_engine = make_engine(network.servers.database_url, connections=4, name="test")
    far_redis = Redis.from_url(network.servers.broker_url)
    built = Hub(engine=far_engine, servers=network.servers, redis=far_redis, seed=3, http_deadline_seconds=1)
    built.with_run_parts(outages=OUTAGES)
    built.with_slice_parts(outages=OUTAGES)
    yield built
    built.close()
    far_redis.close()
    far_engine.dispose()
