"""Ports on the loopback address: free ones, and the same ones again at the next start.

The same again, so that a saved connection string or a dashboard's bookmark still holds. A port that somebody else took
meanwhile is given up for a new one.
"""

import json
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
#: The file in the state directory that remembers them.
REMEMBERED_IN = "ports.json"


def stable_port(state_dir: Path, name: str) -> int:
    """The port this name had before if it is free, else a new one, remembered."""
    ports = _remembered(state_dir)
    if name not in ports or not is_free(ports[name]):
        ports[name] = free_port()
        (state_dir / REMEMBERED_IN).write_text(json.dumps(ports))
    return ports[name]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of the last start that linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _remembered(state_dir: Path) -> dict[str, int]:
    try:
        ports = json.loads((state_dir / REMEMBERED_IN).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return ports if isinstance(ports, dict) else {}
