"""PostgreSQL, Redis and the two APIs behind the proxy: the same addresses with the proxy's ports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from deploy.sandbox.client import Access
from support.faults.proxy import Proxy
from support.faults.routes import Route
from support.servers import Servers


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """Every way from the fleet to what it depends on."""

    database: Route
    broker: Route
    api: Route
    #: For the fleet, or a hub; the test itself keeps the straight ones.
    servers: Servers

    def access(self, straight: Access) -> Access:
        """The APIs' addresses through the proxy."""
        return replace(
            straight,
            volunteer_base_url=at_port(straight.volunteer_base_url, self.api.port),
            crm_base_url=at_port(straight.crm_base_url, self.api.port),
        )

    @property
    def routes(self) -> tuple[Route, ...]:
        return self.database, self.broker, self.api


def proxied(proxy: Proxy, servers: Servers, sandbox_url: str) -> Proxied:
    database, broker, api = (
        proxy.route(port_of(url)) for url in (servers.database_url, servers.broker_url, sandbox_url)
    )
    behind = Servers(
        database_url=at_port(servers.database_url, database.port), broker_url=at_port(servers.broker_url, broker.port)
    )
    return Proxied(database=database, broker=broker, api=api, servers=behind)


def port_of(url: str) -> int:
    """Raises ValueError for an address without a port."""
    port = urlsplit(url).port
    if port is None:
        raise ValueError("the address has no port")
    return port


def at_port(url: str, port: int) -> str:
    """The same address at another port of this machine."""
    parts = urlsplit(url)
    who, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{who}{at}127.0.0.1:{port}"))
