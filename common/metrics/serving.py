"""Serve a process's metrics over HTTP, on its own port."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, start_http_server

from common.domain.errors import ConfigurationError

#: Loopback unless said otherwise: metrics name customers.
DEFAULT_ADDRESS = "127.0.0.1"


def serve_metrics(registry: CollectorRegistry, port: int, address: str = DEFAULT_ADDRESS) -> None:
    """Start a background thread that answers `/metrics`; does nothing for port 0.

    Raises ConfigurationError if the port is taken.
    """
    if not port:
        return
    try:
        start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        raise ConfigurationError(f"FLEET_METRICS_PORT: {port} cannot be served: {error.strerror}") from None
