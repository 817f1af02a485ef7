"""Serve a process's metrics over HTTP, on its own port."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, start_http_server

#: Loopback unless said otherwise: metrics name customers.
DEFAULT_ADDRESS = "127.0.0.1"


def serve_metrics(registry: CollectorRegistry, port: int, address: str = DEFAULT_ADDRESS) -> None:
    """Start a background thread that answers `/metrics`; does nothing for port 0."""
    if port:
        start_http_server(port, addr=address, registry=registry)
