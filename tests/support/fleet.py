"""The whole fleet in real processes, as `fleet up` runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.child import ProcessSpec
from deploy.local.endpoints import Endpoints
from deploy.local.processes import Supervisor
from deploy.local.topology import fleet_processes
from support.servers import Servers

#: Cadences and deadlines for tests: seconds where production has minutes.
FAST = {
    "FLEET_PREMIUM_INTERVAL_SECONDS": "1",
    "FLEET_STANDARD_INTERVAL_SECONDS": "2",
    "FLEET_BASIC_INTERVAL_SECONDS": "3",
    "FLEET_POLL_OVERLAP_SECONDS": "3",
    "FLEET_SWEEP_SECONDS": "0.5",
    "FLEET_LINGER_SECONDS": "0.2",
    "FLEET_BACKFILL_LINGER_SECONDS": "0.5",
    "FLEET_HTTP_DEADLINE_SECONDS": "2",
    "FLEET_BREAKER_SECONDS": "1",
    "FLEET_VOLUNTEER_REQUESTS_PER_MINUTE": "100000",
    "FLEET_CRM_REQUESTS_PER_HOUR": "1000000",
}


@dataclass(frozen=True)
class Fleet:
    """A running fleet."""

    supervisor: Supervisor
    state_dir: Path

    def pid(self, name: str) -> int:
        return self.supervisor.pids()[name]

    def log(self, name: str) -> str:
        return (self.state_dir / "logs" / f"{name}.log").read_text(errors="replace")

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted((self.state_dir / "logs").glob("*.log")))


@contextmanager
def running_fleet(
    servers: Servers, state_dir: Path, environment: Mapping[str, str], *, processors: int = 2, pollers: int = 1,
    flower_port: int | None = None, log_level: str = "INFO",
    prepare: Callable[[ProcessSpec], ProcessSpec] = lambda spec: spec,
) -> Iterator[Fleet]:  # fmt: skip
    """Start beat, pollers and processors, each as `prepare` makes it; stop them at the end."""
    endpoints = Endpoints(database_url=servers.database_url, broker_url=servers.broker_url)
    (state_dir / "logs").mkdir(parents=True, exist_ok=True)
    specs = fleet_processes(
        endpoints,
        state_dir=state_dir,
        lanes=("priority", "standard", "background"),
        processors=processors,
        pollers=pollers,
        flower_port=flower_port,
        log_format="json",
        log_level=log_level,
        environ=environment,
    )
    with Supervisor() as supervisor:
        for spec in specs:
            supervisor.start(prepare(spec))
        yield Fleet(supervisor=supervisor, state_dir=state_dir)
