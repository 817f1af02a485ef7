"""PostgreSQL and Redis for as long as a `with` block lasts: for `fleet up`, and as a fixture of the tests.

Where things are in the state directory: `endpoints.json` (see `endpoints`), `logs/`, `postgres/`, `redis/`,
`postgres.password`, `ports.json`, `lock`, and perhaps `private-directory` (see `privileges`).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from deploy.local.child import ProcessSpec
from deploy.local.cluster import ensure_database, prepare_cluster, read_password
from deploy.local.endpoints import HOLDER, Endpoints, record_pids, remove_endpoints, write_endpoints
from deploy.local.errors import LocalServerError
from deploy.local.lock import state_lock
from deploy.local.ports import is_free, stable_port
from deploy.local.postgres import find_programs, postgres_spec, postgres_url
from deploy.local.privileges import (
    MODE_PASSAGE,
    MODE_PRIVATE,
    data_directory,
    forget_private_directory,
    has_private_directory,
    server_account,
)
from deploy.local.processes import Supervisor
from deploy.local.redis import find_redis_server, redis_spec, redis_url

#: How often to choose another port when somebody takes the chosen one before the server does.
PORT_ATTEMPTS = 3


@contextmanager
def embedded_servers(
    state_dir: Path, *, database_url: str | None, broker_url: str | None, durable: bool = True
) -> Iterator[Endpoints]:
    """Run the servers for which no URL is given, and say where all of them are.

    Raises LocalServerError when the directory is in use or a server cannot run. Without `durable` they start and write
    faster, and nothing is promised beyond the end of the block.
    """
    state_dir = state_dir.resolve()
    make_state_directory(state_dir)
    with ExitStack() as stack:
        lock = stack.enter_context(state_lock(state_dir))
        if not durable and not has_private_directory(state_dir):
            stack.callback(forget_private_directory, state_dir)
        supervisor = stack.enter_context(Supervisor(keep_open=[lock], on_restart=partial(record_pids, state_dir)))
        endpoints = Endpoints(
            database_url=database_url or start_postgres(supervisor, state_dir, durable=durable),
            broker_url=broker_url or start_redis(supervisor, state_dir, durable=durable),
            pids={HOLDER: os.getpid(), **supervisor.pids()},
        )
        stack.callback(remove_endpoints, state_dir)
        write_endpoints(state_dir, endpoints)
        yield endpoints


def make_state_directory(state_dir: Path) -> None:
    """Make it so that an account without rights can pass through to its data, and see nothing else."""
    state_dir.mkdir(mode=MODE_PASSAGE, parents=True, exist_ok=True)
    (state_dir / "logs").mkdir(mode=MODE_PRIVATE, exist_ok=True)


def start_postgres(supervisor: Supervisor, state_dir: Path, *, durable: bool) -> str:
    account = server_account()
    programs = find_programs(state_dir, account)
    password = read_password(state_dir)
    cluster = prepare_cluster(
        programs=programs,
        data=data_directory(state_dir, "postgres", account),
        password=password,
        log_path=state_dir / "logs" / "initdb.log",
        account=account,
        durable=durable,
    )
    make_spec = partial(
        postgres_spec,
        programs=programs,
        cluster=cluster,
        password=password,
        log_path=state_dir / "logs" / "postgres.log",
        account=account,
        durable=durable,
    )
    port = start_on_free_port(supervisor, state_dir, "postgres", lambda port: make_spec(port=port))
    ensure_database(port, password)
    return postgres_url(port, password)


def start_redis(supervisor: Supervisor, state_dir: Path, *, durable: bool) -> str:
    account = server_account()
    program = find_redis_server()
    make_spec = partial(
        redis_spec,
        program=program,
        data=data_directory(state_dir, "redis", account),
        log_path=state_dir / "logs" / "redis.log",
        account=account,
        durable=durable,
    )
    return redis_url(start_on_free_port(supervisor, state_dir, "redis", lambda port: make_spec(port=port)))


def start_on_free_port(
    supervisor: Supervisor, state_dir: Path, name: str, make_spec: Callable[[int], ProcessSpec]
) -> int:
    """Start a server on its usual port, on another when that one is taken, also if it is taken just now."""
    for left in reversed(range(PORT_ATTEMPTS)):
        port = stable_port(state_dir, name)
        try:
            supervisor.start(make_spec(port))
        except LocalServerError:
            if is_free(port) or not left:
                raise
        else:
            return port
    raise AssertionError("unreachable")
