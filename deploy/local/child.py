"""One process under its guard: started, watched, stopped, and swept."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local import guard
from deploy.local.errors import LocalServerError
from deploy.local.privileges import Account

#: Seconds a process has between one stop signal and the next harder one; a task in flight ends within it.
GRACE_SECONDS = 10.0
#: Seconds beyond its own deadlines after which the guard itself is killed.
GUARD_MARGIN_SECONDS = 2.0
#: Lines and bytes from the end of a log that explain a failure.
TAIL_LINES = 3
TAIL_BYTES = 2_000


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """What to run, and how to treat it."""

    name: str
    argv: Sequence[str]
    #: The whole environment: nothing is inherited.
    env: Mapping[str, str]
    #: Gets the output of every life of the process.
    log_path: Path
    #: Whether to start it again when it ends unasked; when not, its end is the fleet's.
    restart: bool = True
    #: Says whether it does its work; None: it is taken to, once it runs.
    ready: Callable[[], bool] | None = None
    #: Whom to run as, when not as the caller.
    account: Account | None = None
    #: Sent one after the other, `grace_seconds` apart, then SIGKILL; the first is also the death signal.
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    grace_seconds: float = GRACE_SECONDS


class Child:
    def __init__(self, spec: ProcessSpec, *, keep_open: Sequence[int] = ()) -> None:
        self.spec = spec
        #: The process itself, not its guard.
        self.pid = 0
        self._keep_open = keep_open
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. Raises LocalServerError when there is no such program."""
        read_end, write_end = os.pipe()
        try:
            with self.spec.log_path.open("ab") as log:
                self._guard = self._spawn(log.fileno(), write_end)
        finally:
            os.close(write_end)
            with os.fdopen(read_end) as report:
                self.pid = int(report.read() or 0) if self._guard else 0
        if not self.pid:
            raise self.failure(f"did not start (exit code {self._guard.wait()})")

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._guard.poll() if self._guard else guard.EXIT_NOT_STARTED

    def finish(self, seconds: float) -> None:
        """Wait for it to end by itself; raises LocalServerError unless it does so in time and with success."""
        try:
            code = self._guard.wait(seconds) if self._guard else guard.EXIT_NOT_STARTED
        except subprocess.TimeoutExpired:
            raise self.failure(f"did not end within {seconds:.0f} s") from None
        if code != 0:
            raise self.failure(f"failed with exit code {code}")

    def stop(self) -> None:
        """Stop it and all of its process group; returns when nothing is left."""
        if self._guard is None:
            return
        if self._guard.poll() is None:
            self._guard.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._guard.wait(self._longest_stop())
        self.sweep()
        self._guard.wait()

    def sweep(self) -> None:
        """Kill what is left of the process group, the guard included."""
        if self._guard is not None:
            # Nothing left is the rule; a group of zombies answers PermissionError on some systems.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._guard.pid, signal.SIGKILL)

    def failure(self, what: str) -> LocalServerError:
        tail = " | ".join(log_tail(self.spec.log_path)) or "nothing"
        return LocalServerError(f"{self.spec.name} {what}; {self.spec.log_path} ends with: {tail}")

    def _spawn(self, log: int, report_to: int) -> "subprocess.Popen[bytes]":
        orders = {
            "parent": os.getpid(),
            "report_to": report_to,
            "stop_signals": list(self.spec.stop_signals),
            "grace_seconds": self.spec.grace_seconds,
            "account": self.spec.account.arguments() if self.spec.account else {},
        }
        return subprocess.Popen(
            [*guard_command(), json.dumps(orders), *self.spec.argv],
            env=dict(self.spec.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(report_to, *self._keep_open),
        )

    def _longest_stop(self) -> float:
        return self.spec.grace_seconds * (len(self.spec.stop_signals) + 1) + GUARD_MARGIN_SECONDS


def guard_command() -> list[str]:
    return [sys.executable, "-I", "-S", guard.__file__]


def log_tail(path: Path) -> list[str]:
    """The last lines that say something."""
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = log.read().decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()][-TAIL_LINES:]
