"""`fleet up`: servers, sandbox and all processes of the fleet on this machine, until Ctrl-C.

The only command that starts anything, and the only module here that knows `deploy.local`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Group, RenderableType
from sqlalchemy.engine import make_url

from common.cli.bootstrap import open_parts
from common.cli.failures import CommandFailed
from common.cli.options import AsJson
from common.cli.output import make_sheet, note, show
from common.cli.sandbox_customers import add_sandbox_customers
from common.config.settings import Settings, load_settings
from common.storage import schema
from deploy.local.child import ProcessSpec
from deploy.local.endpoints import Endpoints, record_pids, write_endpoints
from deploy.local.errors import LocalServerError
from deploy.local.ports import LOOPBACK, stable_port
from deploy.local.processes import Supervisor
from deploy.local.servers import embedded_servers
from deploy.local.signals import stop_on_signals
from deploy.local.topology import fleet_processes, start_sandbox

#: So that every sandbox of the same size is the same.
SANDBOX_SEED = 7
#: A minute of changes to follow.
EDITS = '{"seconds": 60, "per_second": 5}'


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What `fleet up` was asked for."""

    processors: int
    pollers: int
    flower: bool
    sandbox: bool
    customers: int


def up(
    processors: Annotated[int, typer.Option(min=1, help="Processor workers.")] = 2,
    pollers: Annotated[int, typer.Option(min=1, help="Poller workers.")] = 1,
    flower: Annotated[bool, typer.Option(help="Celery's dashboard.")] = True,
    sandbox: Annotated[bool, typer.Option(help="Stand-ins of both APIs.")] = False,
    customers: Annotated[int, typer.Option(min=0, help="With --sandbox: customers to seed.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run the whole fleet on this machine until Ctrl-C.

    Without FLEET_DATABASE_URL and FLEET_BROKER_URL it starts a PostgreSQL and a Redis of its own.
    """
    if customers and not sandbox:
        raise CommandFailed("--customers needs --sandbox", exit_code=2)
    wanted = Wanted(processors=processors, pollers=pollers, flower=flower, sandbox=sandbox, customers=customers)
    with stop_on_signals(), _failures_named():
        _run(load_settings(), wanted, as_json=as_json)
    if not as_json:
        note("stopped")


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except LocalServerError as error:
        raise CommandFailed(str(error)) from error


def _run(settings: Settings, wanted: Wanted, *, as_json: bool) -> None:
    state_dir = settings.state_dir.resolve()
    database_url, broker_url = _reveal(settings.database_url), _reveal(settings.broker_url)
    with (
        embedded_servers(state_dir, database_url=database_url, broker_url=broker_url) as servers,
        Supervisor(on_restart=partial(record_pids, state_dir)) as supervisor,
    ):
        settings = _on(settings, servers)
        with open_parts(settings) as parts:
            schema.upgrade(parts.engine)
            endpoints, flower = _start_all(supervisor, servers, settings, wanted)
            write_endpoints(state_dir, endpoints)
            sandbox_url = endpoints.sandbox_url
            ids = add_sandbox_customers(parts, sandbox_url, wanted.customers) if sandbox_url else []
            if flower is not None:
                # Last: it asks the workers for their queues once, at its start.
                supervisor.start(flower)
                record_pids(state_dir, supervisor.pids())
        show(_data(endpoints, state_dir, ids), as_json=as_json, human=lambda: _view(endpoints, state_dir, ids))
        supervisor.wait()


def _reveal(url: SecretStr | None) -> str | None:
    return None if url is None else url.get_secret_value()


def _on(settings: Settings, endpoints: Endpoints) -> Settings:
    """The settings with the servers' addresses in them."""
    urls = {"database_url": SecretStr(endpoints.database_url), "broker_url": SecretStr(endpoints.broker_url)}
    return settings.model_copy(update=urls)


def _start_all(
    supervisor: Supervisor, endpoints: Endpoints, settings: Settings, wanted: Wanted
) -> tuple[Endpoints, ProcessSpec | None]:
    """Everything but Flower, which is returned to be started when the customers are there."""
    state_dir = settings.state_dir.resolve()
    sandbox_url = start_sandbox(supervisor, state_dir, SANDBOX_SEED) if wanted.sandbox else None
    flower_port = stable_port(state_dir, "flower") if wanted.flower else None
    specs = fleet_processes(
        endpoints,
        state_dir=state_dir,
        lanes=settings.lanes,
        processors=wanted.processors,
        pollers=wanted.pollers,
        flower_port=flower_port,
        log_level=settings.log_level,
    )
    flower = specs.pop() if flower_port else None
    for spec in specs:
        supervisor.start(spec)
    running = replace(
        endpoints,
        pids={**endpoints.pids, **supervisor.pids()},
        sandbox_url=sandbox_url,
        flower_url=f"http://{LOOPBACK}:{flower_port}" if flower_port else None,
    )
    return running, flower


def _data(endpoints: Endpoints, state_dir: Path, customer_ids: list[str]) -> dict[str, object]:
    return {
        "state_dir": state_dir,
        "database_url": make_url(endpoints.database_url).render_as_string(hide_password=True),
        "flower_url": endpoints.flower_url,
        "sandbox_url": endpoints.sandbox_url,
        "pids": endpoints.pids,
        "customers": customer_ids,
    }


def _view(endpoints: Endpoints, state_dir: Path, customer_ids: list[str]) -> RenderableType:
    first = customer_ids[0] if customer_ids else ""
    values = {
        "Flower": endpoints.flower_url or "not started",
        "sandbox": endpoints.sandbox_url or "not started",
        "state": str(state_dir),
        "logs": str(state_dir / "logs"),
        "customers": ", ".join(customer_ids) or "add one: fleet customers add --help",
    }
    steps = ["", "The fleet runs; Ctrl-C stops it. In another shell, in the same directory:", "  fleet status --watch"]
    if first:
        steps += [
            f"  fleet runs list {first}",
            f"  curl -d '{EDITS}' {endpoints.sandbox_url}/admin/edits",
            "  fleet audit    # when the edits are over and nothing is pending; before that it says FAIL",
        ]
    return Group(make_sheet(values), *steps)
