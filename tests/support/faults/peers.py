"""A peer for a proxy's own tests: it notes each line that it gets, answers it, and knows how its connections ended."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deploy.local.ports import LOOPBACK


class Peer(socketserver.ThreadingTCPServer):
    """Answers a line with `ok <line>`; `big <n>` with n bytes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Answering)
        self.lines: list[str] = []
        self.ends: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, *_: Any) -> None:
        """Noted in `ends`."""


class _Answering(socketserver.StreamRequestHandler):
    server: Peer

    def handle(self) -> None:
        try:
            for line in self.rfile:
                self._answer(line.decode().strip())
        except OSError:
            self.server.ends.append("reset")
        else:
            self.server.ends.append("end")

    def _answer(self, line: str) -> None:
        self.server.lines.append(line)
        word, _, size = line.partition(" ")
        self.wfile.write(b"x" * int(size) if word == "big" else f"ok {line}\n".encode())


@contextmanager
def running_peer() -> Iterator[Peer]:
    with Peer() as peer:
        thread = threading.Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield peer
        peer.shutdown()
        thread.join()
