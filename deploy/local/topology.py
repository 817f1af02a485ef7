"""The fleet's own processes as command lines: who they are, in the order of their start.

Consumers come first and what makes work comes last, so that stopping in reverse order first stops the polls, then
lets the processors finish.
"""

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deploy.local.child import ProcessSpec
from deploy.local.endpoints import Endpoints
from deploy.local.ports import LOOPBACK, stable_port
from deploy.local.processes import Supervisor

#: Threads of one worker; they wait for HTTP, so that there may be many more than cores.
DEFAULT_CONCURRENCY = 8
#: Seconds for one connection attempt to a process on this machine.
CONNECT_SECONDS = 1.0


def fleet_processes(
    endpoints: Endpoints,
    *,
    state_dir: Path,
    lanes: Sequence[str],
    processors: int,
    pollers: int,
    flower_port: int | None,
    concurrency: int = DEFAULT_CONCURRENCY,
    log_level: str = "INFO",
    log_format: str = "text",
    metrics_ports: Mapping[str, int] | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[ProcessSpec]:
    """What to start on these servers. `metrics_ports` are by process name; `environ` is what the processes inherit,
    by default all of ours.
    """
    env = fleet_environment(
        endpoints,
        state_dir=state_dir,
        lanes=lanes,
        log_format=log_format,
        log_level=log_level,
        inherited=os.environ if environ is None else environ,
    )
    spec = partial(fleet_process, state_dir=state_dir, env=env, metrics_ports=metrics_ports or {})
    worker = partial(worker_argv, concurrency=concurrency, log_level=log_level)
    specs = [
        *(spec(f"processor{n}", worker("processor", n)) for n in range(1, processors + 1)),
        *(spec(f"poller{n}", worker("poller", n)) for n in range(1, pollers + 1)),
        spec("beat", beat_argv(log_level)),
    ]
    if flower_port is not None:
        specs.append(spec("flower", flower_argv(flower_port), ready=lambda: accepts_connections(flower_port)))
    return specs


def fleet_environment(
    endpoints: Endpoints,
    *,
    state_dir: Path,
    lanes: Sequence[str],
    log_format: str,
    log_level: str,
    inherited: Mapping[str, str],
) -> dict[str, str]:
    return {
        **inherited,
        "FLEET_DATABASE_URL": endpoints.database_url,
        "FLEET_BROKER_URL": endpoints.broker_url,
        "FLEET_STATE_DIR": str(state_dir.resolve()),
        "FLEET_LOG_FORMAT": log_format,
        "FLEET_LOG_LEVEL": log_level,
        "FLEET_LANES": ",".join(lanes),
        # So that a log shows what a process did before it was killed.
        "PYTHONUNBUFFERED": "1",
    }


def fleet_process(
    name: str,
    argv: list[str],
    *,
    state_dir: Path,
    env: Mapping[str, str],
    metrics_ports: Mapping[str, int],
    ready: Callable[[], bool] | None = None,
) -> ProcessSpec:
    if name in metrics_ports:
        env = {**env, "FLEET_METRICS_PORT": str(metrics_ports[name])}
    return ProcessSpec(name=name, argv=argv, env=env, log_path=state_dir / "logs" / f"{name}.log", ready=ready)


def celery_argv(app: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", f"{app}.app", *arguments]


def worker_argv(app: str, number: int, *, concurrency: int, log_level: str) -> list[str]:
    """A worker on threads. No queues are named here: each app finds its own by the lanes in its settings."""
    options = ["--pool=threads", f"--concurrency={concurrency}", "--without-gossip", "--without-mingle"]
    return celery_argv(app, "worker", "-n", f"{app}{number}@%h", *options, "-l", log_level)


def beat_argv(log_level: str) -> list[str]:
    # No process id file: it would be left behind in the current directory and refuse the next start.
    return celery_argv("poller", "beat", "--pidfile=", "-l", log_level)


def flower_argv(port: int) -> list[str]:
    return celery_argv("processor", "flower", f"--address={LOOPBACK}", f"--port={port}")


def accepts_connections(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


def start_sandbox(supervisor: Supervisor, state_dir: Path, seed: int) -> str:
    """Start the stand-ins of both APIs; returns their URL.

    Not restarted: they keep everything in memory, so that a second life would know nobody.
    """
    port = stable_port(state_dir, "sandbox")
    supervisor.start(
        ProcessSpec(
            name="sandbox",
            argv=[sys.executable, "-m", "deploy.sandbox", "--port", str(port), "--seed", str(seed)],
            env=dict(os.environ),
            log_path=state_dir / "logs" / "sandbox.log",
            restart=False,
            ready=lambda: accepts_connections(port),
        )
    )
    return f"http://{LOOPBACK}:{port}"
