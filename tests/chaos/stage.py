"""Servers, sandbox and fleet for as long as a `with` block lasts. All of them are ours alone: they are shot at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from redis import Redis
from sqlalchemy import Engine
from support.faults.clocks import Clocks
from support.faults.disks import SmallDisk
from support.faults.endpoints import Proxied, proxied
from support.faults.proxy import running_proxy
from support.servers import Servers

from chaos.customers import CUSTOMERS, ENVIRONMENT, LANES, bring_in, organization
from chaos.processes import QuickSupervisor
from chaos.servers import victims
from common.cli.bootstrap import open_parts
from common.config.settings import load_settings
from common.storage.schema import upgrade
from deploy.demo.blank import ensure_blank
from deploy.local.child import ProcessSpec
from deploy.local.endpoints import Endpoints, read_endpoints, record_pids
from deploy.local.topology import fleet_environment, fleet_processes, start_sandbox
from deploy.sandbox.client import SandboxAdmin

PROCESSORS, POLLERS = 3, 2
#: One leads, the other must take over.
BEATS = ("beat", "beat2")
#: Whose connections to PostgreSQL and Redis go through the proxy: a third of the fleet, so that the others must not
#: suffer; and the customers whose APIs do.
BEHIND = ("processor3", "poller2", "beat2")
CUSTOMERS_BEHIND = ("plain", "odd")
#: Threads of a worker; few, so that what is killed is one of several that share the work.
CONCURRENCY = 4


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What attacks and load are given."""

    state_dir: Path
    endpoints: Endpoints
    supervisor: QuickSupervisor
    admin: SandboxAdmin
    sandbox_url: str
    environment: Mapping[str, str]
    #: The ways of `BEHIND` to the servers, and of everybody to two customers' APIs.
    network: Proxied
    clocks: Clocks
    #: A superuser's, who gets in when nobody else does; every statement on a session of its own.
    engine: Engine
    #: Under PostgreSQL's data, if it is one that can be filled.
    disk: SmallDisk | None
    #: A word to whoever watches.
    say: Callable[[str], None]

    def pid(self, name: str) -> int:
        return self.supervisor.pids()[name]

    def server_pid(self, name: str) -> int:
        """Of PostgreSQL or Redis, as it is now."""
        running = read_endpoints(self.state_dir)
        return running.pids[name] if running else 0

    def names(self, *stems: str) -> Sequence[str]:
        """Processes of the fleet, by the beginning of their names."""
        return [name for name in self.supervisor.pids() if name.startswith(stems)]

    def redis(self) -> Redis:
        return Redis.from_url(self.endpoints.broker_url)


@contextmanager
def set_stage(
    state_dir: Path, *, seed: int, say: Callable[[str], None], planted: str | None = None, small_disk: bool = False
) -> Iterator[Stage]:
    """Everything runs, and every customer is on board; `planted` names a bug of `broken` for all processes."""
    state_dir = state_dir.resolve()
    shutil.rmtree(state_dir / "logs", ignore_errors=True)
    with (
        victims(state_dir, small_disk=small_disk) as struck,
        QuickSupervisor(announce=lambda _: None, on_restart=partial(record_pids, state_dir)) as supervisor,
    ):
        endpoints = struck.endpoints
        environment = _environment(endpoints, state_dir)
        ensure_blank(environment, own_database=True, own_broker=True)
        sandbox_url = start_sandbox(supervisor, state_dir, seed)
        servers = Servers(database_url=endpoints.database_url, broker_url=endpoints.broker_url)
        with SandboxAdmin(sandbox_url) as admin, running_proxy(seed=seed) as proxy:
            stage = Stage(
                state_dir=state_dir,
                endpoints=endpoints,
                supervisor=supervisor,
                admin=admin,
                sandbox_url=sandbox_url,
                environment=environment,
                network=proxied(proxy, servers, sandbox_url),
                clocks=Clocks(_emptied(state_dir / "clocks")),
                engine=struck.engine,
                disk=struck.disk,
                say=say,
            )
            _bring_all_in(stage)
            for spec in _specs(stage, planted):
                supervisor.start(spec)
            yield stage


def _environment(endpoints: Endpoints, state_dir: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
    return fleet_environment(
        endpoints,
        state_dir=state_dir,
        lanes=LANES,
        log_format="json",
        log_level="INFO",
        inherited={**clean, **ENVIRONMENT},
    )


def _emptied(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


def _bring_all_in(stage: Stage) -> None:
    accesses = stage.admin.create_organizations(*map(organization, CUSTOMERS))
    with open_parts(load_settings(stage.environment)) as parts:
        upgrade(parts.engine)
        for customer, access in zip(CUSTOMERS, accesses, strict=True):
            stage.admin.create_tags(customer.name)
            is_behind = customer.name in CUSTOMERS_BEHIND
            bring_in(parts, customer, stage.network.access(access) if is_behind else access)


def _specs(stage: Stage, planted: str | None) -> Sequence[ProcessSpec]:
    specs = fleet_processes(
        stage.endpoints,
        state_dir=stage.state_dir,
        lanes=LANES,
        processors=PROCESSORS,
        pollers=POLLERS,
        flower_port=None,
        concurrency=CONCURRENCY,
        log_format="json",
        environ=stage.environment,
    )
    first = next(spec for spec in specs if spec.name == BEATS[0])
    more = [replace(first, name=name, log_path=first.log_path.with_name(f"{name}.log")) for name in BEATS[1:]]
    placed = [_behind(spec, stage.network.servers) if spec.name in BEHIND else spec for spec in (*specs, *more)]
    return [_with_bug(spec, planted) if planted else stage.clocks.prepare(spec) for spec in placed]


def _behind(spec: ProcessSpec, servers: Servers) -> ProcessSpec:
    return replace(spec, env={**spec.env, **servers.environment})


def _with_bug(spec: ProcessSpec, planted: str) -> ProcessSpec:
    """`python -m celery ...` becomes `python -m chaos.broken <bug> ...`; its clock is not stepped."""
    python, _, _, *arguments = spec.argv
    tests = str(Path(__file__).resolve().parents[1])
    return replace(
        spec, argv=[python, "-m", "chaos.broken", planted, *arguments], env={**spec.env, "PYTHONPATH": tests}
    )
