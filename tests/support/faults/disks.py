"""A file system of some megabytes for one server, made without root, filled and freed from outside.

In use is a tmpfs in a user and mount namespace of its own (`unshare`, Linux): the server's writes get ENOSPC as on any
full disk, and nobody else sees the mount. Where the kernel forbids such namespaces, as most containers do by default,
`why_not` says so and there is no substitute: a limit on the size of a file (setrlimit) is another error, on each file
by itself, which PostgreSQL does not report as 53100.

PostgreSQL's log of changes (WAL) is on the ordinary disk, as on a server with a volume for each. A full WAL volume is
another fault: PostgreSQL stops by itself then, and stays down until there is room.
"""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.child import Child, ProcessSpec
from deploy.local.cluster import ensure_database, initdb_argv, read_password
from deploy.local.ports import free_port
from deploy.local.postgres import answers, find_programs, postgres_argv, postgres_url
from support.waiting import wait_until

NAMESPACE = ["unshare", "--map-root-user", "--mount"]
#: Nobody in particular: PostgreSQL refuses to run as root, also as the root of a namespace.
ORDINARY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
MOUNT = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'
#: A new cluster takes 25, the fleet's empty tables 5 more.
MEGABYTES = 64
#: Seconds for `initdb` and the start, on a machine that is busy.
START_SECONDS = 120
#: Bytes of one write that fills: all but so little is taken.
PIECE_BYTES = 65_536


def why_not() -> str:
    """Why no small disk can be made here; empty if one can."""
    try:
        done = subprocess.run([*NAMESPACE, *ORDINARY, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "no `unshare` on this machine"
    return "" if done.returncode == 0 else f"the kernel allows no namespace of our own: {done.stderr.strip()}"


def on_small_disk(mount: Path, command: Sequence[str], *, megabytes: int = MEGABYTES) -> list[str]:
    """The command line that runs a command on a new, empty disk at `mount`; its process id stays the same."""
    return [*NAMESPACE, "sh", "-c", MOUNT, "sh", f"{megabytes}m", str(mount), *ORDINARY, *command]


@dataclass(frozen=True)
class SmallDisk:
    """Seen through a process that lives on it."""

    pid: int
    mount: Path

    @property
    def _outside(self) -> Path:
        return Path(f"/proc/{self.pid}/root{self.mount}")

    @property
    def _ballast(self) -> Path:
        return self._outside / "ballast"

    @property
    def free_bytes(self) -> int:
        return os.statvfs(self._outside).f_bavail * os.statvfs(self._outside).f_frsize

    def fill(self) -> None:
        """To the last page."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for piece in (PIECE_BYTES, os.sysconf("SC_PAGE_SIZE")):
                _write_until_full(ballast.fileno(), bytes(piece))

    def free(self) -> None:
        """What `fill` took."""
        self._ballast.unlink(missing_ok=True)


def _write_until_full(descriptor: int, piece: bytes) -> None:
    try:
        while os.write(descriptor, piece):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


@dataclass(frozen=True)
class SmallPostgres:
    """A server of its own; the fleet's role and database are there, its tables are not."""

    url: str
    disk: SmallDisk


@contextmanager
def small_postgres(directory: Path, *, megabytes: int = MEGABYTES) -> Iterator[SmallPostgres]:
    """Gone with its data at the end of the block. `directory` is the test's own."""
    mount, wal, password, port = directory / "disk", directory / "wal", read_password(directory), free_port()
    mount.mkdir()
    programs, cluster = find_programs(directory, None), mount / "cluster"
    command = _create_and_serve(programs, cluster, wal, directory / "postgres.password", port)
    spec = ProcessSpec(
        name="small postgres",
        argv=on_small_disk(mount, command, megabytes=megabytes),
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ["PATH"]},
        log_path=directory / "postgres.log",
    )
    child = Child(spec)
    try:
        child.start()
        wait_until(lambda: _is_up(child, port, password, cluster), seconds=START_SECONDS, what="a small PostgreSQL")
        ensure_database(port, password)
        yield SmallPostgres(postgres_url(port, password), SmallDisk(child.pid, mount))
    finally:
        child.stop()


def _create_and_serve(programs: Path, cluster: Path, wal: Path, password_file: Path, port: int) -> list[str]:
    create = [*initdb_argv(programs, cluster, password_file, sync=False), f"--waldir={wal}"]
    serve = postgres_argv(programs=programs, cluster=cluster, port=port, durable=False)
    return ["sh", "-c", f"{shlex.join(create)} && exec {shlex.join(serve)}"]


def _is_up(child: Child, port: int, password: str, cluster: Path) -> bool:
    if child.exit_code() is not None:
        raise child.failure("ended before it was ready")
    return answers(port, password, cluster)
