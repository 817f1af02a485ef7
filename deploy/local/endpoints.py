"""What runs where: written by whoever starts the servers, read by a `fleet` command in another shell.

The file holds the database's password, so only its owner may read it. It names the process that wrote it, and is
as good as absent once that process is gone: a killed fleet leaves no lie behind.
"""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

#: The file in the state directory.
ENDPOINTS_FILE = "endpoints.json"
#: The process that holds everything up, among `Endpoints.pids`.
HOLDER = "fleet"
#: Two supervisors of one process may both record a restart.
_CHANGING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    #: SQLAlchemy's form, with the password.
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    #: Process ids by name; `HOLDER` is the one that supervises the others.
    pids: Mapping[str, int] = field(default_factory=dict)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    flower_url: str | None = None
    sandbox_url: str | None = None
    #: Where each process gives its metrics, by name.
    metrics: Mapping[str, str] = field(default_factory=dict)


def write_endpoints(state_dir: Path, endpoints: Endpoints) -> None:
    """Replace the file in one step: a reader sees the old one or the new one."""
    target = state_dir / ENDPOINTS_FILE
    draft = target.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({**asdict(endpoints), "started_at": endpoints.started_at.isoformat()}, file, indent=2)
    draft.replace(target)


def read_endpoints(state_dir: Path) -> Endpoints | None:
    """What runs on this state directory, or None when nothing does."""
    try:
        stored = json.loads((state_dir / ENDPOINTS_FILE).read_text())
    except FileNotFoundError:
        return None
    endpoints = Endpoints(**{**stored, "started_at": datetime.fromisoformat(stored["started_at"])})
    holder = endpoints.pids.get(HOLDER)
    return endpoints if holder and is_alive(holder) else None


def record_pids(state_dir: Path, pids: Mapping[str, int]) -> None:
    """Add or replace process ids, as after a restart; only the process that wrote the file may."""
    with _CHANGING:
        if endpoints := read_endpoints(state_dir):
            write_endpoints(state_dir, replace(endpoints, pids={**endpoints.pids, **pids}))


def remove_endpoints(state_dir: Path) -> None:
    (state_dir / ENDPOINTS_FILE).unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
