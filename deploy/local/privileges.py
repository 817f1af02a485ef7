"""Which account the servers run under, and where that account can reach its files.

PostgreSQL refuses to run as root, and a Redis without a password must not: anybody on the machine could have it write
files. Started by root, both run as an account without rights; started by anybody else, they run as that person.

An account without rights often cannot reach a clone or a state directory below a private home. Such data goes to a
private directory with a random name, in a place where it outlives a restart of the machine, and the state directory
remembers it; programs are copied there likewise. No mode above the state directory is ever changed.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from deploy.local.errors import LocalServerError

#: The account without rights that every Unix has.
UNPRIVILEGED_ACCOUNT = "nobody"
#: Where a private directory may be, best first: this one is kept over a restart of the machine.
LASTING_TEMPORARY_DIRECTORY = Path("/var/tmp")  # noqa: S108 - the directories made in it have random names
#: The file in the state directory that names the private one.
REMEMBERED_IN = "private-directory"
#: Seconds for a shell to answer one question about one path.
PROBE_SECONDS = 10
#: Others may pass through, not look.
MODE_PASSAGE = 0o711
MODE_PRIVATE = 0o700


class AccountArguments(TypedDict, total=False):
    """Keyword arguments of `subprocess.Popen`."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, kw_only=True)
class Account:
    uid: int
    gid: int

    def arguments(self) -> AccountArguments:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account | None:
    """The account to change to, or None when there is nothing to give up."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError:
        raise LocalServerError(
            f"servers must not run as root and there is no account {UNPRIVILEGED_ACCOUNT!r}: start as an ordinary user"
        ) from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def can_use(path: Path, account: Account | None) -> bool:
    """Whether the account can enter this directory, or run this file; asked by trying."""
    question = ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(path)]
    arguments: AccountArguments = account.arguments() if account else {}
    try:
        return subprocess.run(question, check=False, timeout=PROBE_SECONDS, **arguments).returncode == 0
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise LocalServerError(f"cannot give up root rights here ({error}): start as an ordinary user") from error


def data_directory(state_dir: Path, name: str, account: Account | None) -> Path:
    """A directory that belongs to the account: below the state directory, or a private one if out of its reach."""
    remembered = _remembered(state_dir)
    if remembered and (remembered / name).is_dir():
        return _owned(remembered / name, account)
    wanted = state_dir / name
    wanted.mkdir(mode=MODE_PRIVATE, parents=True, exist_ok=True)
    if can_use(_owned(wanted, account), account):
        return wanted
    if any(wanted.iterdir()):
        raise LocalServerError(f"{wanted} holds data but its server cannot reach it: make its parents traversable")
    wanted.rmdir()
    return _owned(private_directory(state_dir, account) / name, account)


def private_directory(state_dir: Path, account: Account | None) -> Path:
    """The private directory of this state directory, made at its first use."""
    remembered = _remembered(state_dir)
    if remembered and remembered.is_dir():
        return remembered
    made = _make_private(account)
    (state_dir / REMEMBERED_IN).write_text(str(made))
    return made


def has_private_directory(state_dir: Path) -> bool:
    return (state_dir / REMEMBERED_IN).exists()


def forget_private_directory(state_dir: Path) -> None:
    """Remove the private directory with all that is in it, for state that need not last."""
    if remembered := _remembered(state_dir):
        shutil.rmtree(remembered, ignore_errors=True)
        (state_dir / REMEMBERED_IN).unlink()


def _remembered(state_dir: Path) -> Path | None:
    note = state_dir / REMEMBERED_IN
    return Path(note.read_text()) if note.exists() else None


def _make_private(account: Account | None) -> Path:
    for parent in (LASTING_TEMPORARY_DIRECTORY, Path(tempfile.gettempdir())):
        if parent.is_dir() and can_use(parent, account):
            made = Path(tempfile.mkdtemp(prefix="syncfleet-", dir=parent))
            made.chmod(MODE_PASSAGE)
            return made
    raise LocalServerError("no temporary directory is open to every account: set TMPDIR to one, or start as a user")


def _owned(directory: Path, account: Account | None) -> Path:
    directory.mkdir(mode=MODE_PRIVATE, exist_ok=True)
    owner = directory.stat().st_uid
    if account and owner == 0:
        os.chown(directory, account.uid, account.gid)
    elif owner != (account.uid if account else os.geteuid()):
        raise LocalServerError(f"{directory} belongs to user {owner}: start as that user, or choose another directory")
    return directory
