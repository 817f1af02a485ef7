"""Servers, sandbox and fleet for as long as a `with` block lasts."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deploy.demo.blank import ensure_blank, forget_everything
from deploy.demo.plan import ENVIRONMENT, LANES
from deploy.local.endpoints import Endpoints, record_pids, write_endpoints
from deploy.local.ports import LOOPBACK, stable_port
from deploy.local.processes import Supervisor
from deploy.local.servers import embedded_servers
from deploy.local.topology import fleet_environment, fleet_processes, start_sandbox

PROCESSORS, POLLERS = 2, 1


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What the story does to the fleet."""

    endpoints: Endpoints
    supervisor: Supervisor
    sandbox_url: str
    state_dir: Path
    environment: Mapping[str, str]
    own_broker: bool
    with_flower: bool

    def start(self) -> None:
        """Start the fleet's own processes, each of which connects by itself."""
        flower_port = stable_port(self.state_dir, "flower") if self.with_flower else None
        specs = fleet_processes(
            self.endpoints,
            state_dir=self.state_dir,
            lanes=LANES,
            processors=PROCESSORS,
            pollers=POLLERS,
            flower_port=flower_port,
            environ={**os.environ, **ENVIRONMENT},
        )
        for spec in specs:
            self.supervisor.start(spec)
        flower_url = f"http://{LOOPBACK}:{flower_port}" if flower_port else None
        pids = {**self.endpoints.pids, **self.supervisor.pids()}
        write_endpoints(
            self.state_dir, replace(self.endpoints, pids=pids, flower_url=flower_url, sandbox_url=self.sandbox_url)
        )

    def kill(self, name: str) -> None:
        """SIGKILL to a process itself; its supervisor starts it again."""
        os.kill(self.supervisor.pids()[name], signal.SIGKILL)

    def flush_redis(self) -> None:
        forget_everything(self.endpoints.broker_url, own_broker=self.own_broker)


@contextmanager
def demo_fleet(state_dir: Path, *, seed: int, with_flower: bool, announce: Callable[[str], None]) -> Iterator[Fleet]:
    """Servers and sandbox run, blank; the fleet's processes are still to be started."""
    state_dir = state_dir.resolve()
    database_url, broker_url = os.environ.get("FLEET_DATABASE_URL"), os.environ.get("FLEET_BROKER_URL")
    with (
        embedded_servers(state_dir, database_url=database_url, broker_url=broker_url) as endpoints,
        Supervisor(announce=announce, on_restart=partial(record_pids, state_dir)) as supervisor,
    ):
        environment = fleet_environment(
            endpoints,
            state_dir=state_dir,
            lanes=LANES,
            log_format="text",
            log_level="INFO",
            inherited={**os.environ, **ENVIRONMENT},
        )
        ensure_blank(environment, own_database=database_url is None, own_broker=broker_url is None)
        yield Fleet(
            endpoints=endpoints,
            supervisor=supervisor,
            sandbox_url=start_sandbox(supervisor, state_dir, seed),
            state_dir=state_dir,
            environment=environment,
            own_broker=broker_url is None,
            with_flower=with_flower,
        )
