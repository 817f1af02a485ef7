"""PostgreSQL, Redis and processes for one run, started and stopped by it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from sqlalchemy import Engine, create_engine
from support.hub import MASTER_KEY
from support.servers import Servers, empty, flush

from common.storage.schema import upgrade
from deploy.local.privileges import forget_private_directory
from deploy.local.servers import embedded_servers

#: The repository; `tests` below it holds this package.
ROOT = Path(__file__).resolve().parents[3]
#: Seconds a process has to end by itself: Celery waits for its tasks.
STOP_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What every benchmark is given."""

    servers: Servers
    engine: Engine
    redis: Redis
    directory: Path
    #: Fewer customers, messages and rounds: to see that it runs, not to learn figures.
    quick: bool

    def clear(self) -> None:
        """No customer and no key is left of the benchmark before."""
        empty(self.engine)
        flush(self.redis)

    def environment(self, settings: Mapping[str, str] | None = None) -> dict[str, str]:
        """For a process of the fleet. No `FLEET_` variable of the caller's shell gets there."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_")}
        return {
            **inherited,
            **self.servers.environment,
            "FLEET_STATE_DIR": str(self.directory),
            "FLEET_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "FLEET_LOG_LEVEL": "WARNING",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            **(settings or {}),
        }

    @contextmanager
    def process(
        self, name: str, argv: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A Python process for as long as the block lasts; its log is `<name>.log` in the directory."""
        with (self.directory / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *argv], env=self.environment(settings), cwd=ROOT, stdout=log, stderr=log
            )
        try:
            yield child
        finally:
            _stop(child)

    def log(self, name: str) -> str:
        """What processes of this name have said so far."""
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def set_stage(*, quick: bool) -> Iterator[Stage]:
    """Real servers with an empty database, durable as in production; gone, with their data, at the end of the block."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-benchmarks-")))
        stack.callback(forget_private_directory, directory)
        endpoints = stack.enter_context(embedded_servers(directory, database_url=None, broker_url=None))
        engine = create_engine(endpoints.database_url, pool_size=4)
        stack.callback(engine.dispose)
        upgrade(engine)
        redis = Redis.from_url(endpoints.broker_url)
        stack.callback(redis.close)
        servers = Servers(database_url=endpoints.database_url, broker_url=endpoints.broker_url)
        yield Stage(servers=servers, engine=engine, redis=redis, directory=directory, quick=quick)


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have run so far (Documentation/scheduler/sched-stats: nanoseconds on a CPU)."""
    return _schedstat(pid, 0)


def waited_seconds(pid: int) -> float:
    """How long its threads were ready to run and got no core; time that on a machine of its own would not pass."""
    return _schedstat(pid, 1)


def _schedstat(pid: int, field: int) -> float:
    return sum(int(path.read_text().split()[field]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def commands(redis: Redis) -> int:
    """Commands the server has run so far, but for those that ask it this."""
    stats = redis.info("commandstats")
    return sum(entry["calls"] for name, entry in stats.items() if name != "cmdstat_info")


def machine_busy() -> tuple[float, float]:
    """Busy and all time of all cores since boot, in clock ticks (man 5 proc, /proc/stat): for differences."""
    fields = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)
