"""`fleet exporter`: the depths and ages of all customers as Prometheus metrics, until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from common.cli.bootstrap import open_parts
from common.cli.options import AsJson
from common.cli.output import show
from common.metrics.exporter import FleetCollector
from common.metrics.serving import serve_metrics

#: Where exporters of this kind are looked for, unless FLEET_METRICS_PORT says otherwise.
DEFAULT_PORT = 9100


def exporter(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"FLEET_METRICS_PORT, else {DEFAULT_PORT}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the depths of all queues at /metrics until stopped. Reads PostgreSQL and Redis at each scrape."""
    with open_parts() as parts:
        chosen = port or parts.settings.metrics_port or DEFAULT_PORT
        address = parts.settings.metrics_address
        registry = CollectorRegistry(auto_describe=False)
        collector = FleetCollector(
            parts.overview, parts.hot_set.depths, parts.clock, parts.backlog_limits,
            night_failure_percent=parts.settings.night_failure_percent,
        )  # fmt: skip
        registry.register(collector)
        # One scrape now: a server that is away is told in one line here, and not to the first who scrapes.
        list(collector.collect())
        serve_metrics(registry, chosen, address)
        url = f"http://{address}:{chosen}/metrics"
        show({"url": url}, as_json=as_json, human=lambda: f"metrics of all customers at {url}; Ctrl-C stops it")
        _wait_for_a_signal()


def _wait_for_a_signal() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
