"""The data of the PostgreSQL server: created once, with the fleet's role and database in it.

The fleet's role owns its database and is no superuser, as it would be in production. It has a password, for
"trust" would let every account on the machine read the customers' data.
"""

import os
import secrets
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local.child import Child, ProcessSpec
from deploy.local.errors import LocalServerError
from deploy.local.ports import LOOPBACK
from deploy.local.privileges import Account

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
#: The fleet's role and the name of its database.
NAME = "syncfleet"
#: Seconds for `initdb`, which takes about one; a slow disk takes many.
INITDB_SECONDS = 120
#: Seconds for one connection to a server on this machine.
PROBE_SECONDS = 5
#: Bytes of randomness in the password.
PASSWORD_BYTES = 24
#: The password is random, so that stretching it would only slow down each connection.
SCRAM_ITERATIONS = 1


def read_password(state_dir: Path) -> str:
    """The password of both roles, made at the first call."""
    file = state_dir / "postgres.password"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(PASSWORD_BYTES))
    return file.read_text()


def prepare_cluster(
    *, programs: Path, data: Path, password: str, log_path: Path, account: Account | None, durable: bool
) -> Path:
    """The cluster in this directory, created unless it is there; a creation that was cut short is begun anew."""
    cluster, draft = data / "cluster", data / "draft"
    version = cluster / "PG_VERSION"
    if not version.exists():
        shutil.rmtree(draft, ignore_errors=True)
        _initialise(programs=programs, draft=draft, password=password, log_path=log_path, account=account, sync=durable)
        draft.rename(cluster)
    elif (found := version.read_text().strip()) != MAJOR_VERSION:
        raise LocalServerError(f"{data} is of PostgreSQL {found}, not {MAJOR_VERSION}: choose another state directory")
    return cluster


def ensure_database(port: int, password: str) -> None:
    """Create the fleet's role and database unless they are there."""
    name, secret = sql.Identifier(NAME), sql.Literal(password)
    with psycopg.connect(
        host=LOOPBACK, port=port, user=SUPERUSER, password=password, dbname=SUPERUSER, autocommit=True
    ) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
            # May create databases for tests and see all of its own activity.
            role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {} IN ROLE pg_monitor").format(name, secret)
            connection.execute(role)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))


def write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


def _initialise(
    *, programs: Path, draft: Path, password: str, log_path: Path, account: Account | None, sync: bool
) -> None:
    password_file = draft.with_name("password")
    write_private(password_file, password)
    if account:
        os.chown(password_file, account.uid, account.gid)
    try:
        _run_initdb(initdb_argv(programs, draft, password_file, sync=sync), log_path, account)
    finally:
        password_file.unlink()


def initdb_argv(programs: Path, draft: Path, password_file: Path, *, sync: bool) -> list[str]:
    return [
        str(programs / "initdb"),
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
        f"--set=scram_iterations={SCRAM_ITERATIONS}",
        *([] if sync else ["--no-sync"]),
    ]


def _run_initdb(argv: list[str], log_path: Path, account: Account | None) -> None:
    child = Child(
        ProcessSpec(name="initdb", argv=argv, env={"LC_ALL": "C", "TZ": "UTC"}, log_path=log_path, account=account)
    )
    try:
        child.start()
        child.finish(INITDB_SECONDS)
    finally:
        child.stop()
