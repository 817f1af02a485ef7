"""The fleet's processes: started again at once when they die, and known by their sockets."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from deploy.local.processes import Supervisor, Watched

#: Seconds until a killed process is started again. The patience of production's supervisor, which doubles up to 30 s,
#: would be measured in place of the fleet.
RESTART_SECONDS = 0.3
#: The state of a connection that is up, in /proc/net/tcp.
ESTABLISHED = "01"


class QuickSupervisor(Supervisor):
    """Forgives every failure."""

    def _after_exit(self, watched: Watched, what: str) -> None:
        super()._after_exit(watched, what)
        if watched.child.spec.restart:
            watched.failures, watched.due = 0, self._clock() + RESTART_SECONDS


def signal_to(pid: int, number: int) -> bool:
    """False if it is dead already, and not started again yet."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def local_ports(pid: int) -> set[int]:
    """Of a process's TCP connections, our end: by it PostgreSQL knows which session is whose."""
    inodes = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == ESTABLISHED and row[9] in inodes}
