"""Keeps processes running while a `with` block lasts, and stops them in reverse order when it ends.

A thread watches, so that the block is free to do something else (a test) or to wait (`fleet up`). What must hold when
this very process is killed is the guards' business, see `guard`.
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from deploy.local.child import Child, ProcessSpec
from deploy.local.errors import LocalServerError

#: Seconds a process has until it is ready; recovery of a database after a crash is the slowest of them.
READY_SECONDS = 60
#: Seconds between two questions whether it is ready.
READY_POLL_SECONDS = 0.05
#: Seconds between two looks at the processes; with the first backoff, a killed one is back within two seconds.
WATCH_SECONDS = 0.2
#: Seconds before the first restart, doubled for each that follows.
FIRST_BACKOFF_SECONDS = 1.0
#: The most seconds between two restarts: a mended fault is picked up within half a minute.
LONGEST_BACKOFF_SECONDS = 30.0
#: Seconds a process must have run for its earlier failures to be forgotten.
STABLE_SECONDS = 60.0


def backoff_seconds(failures: int) -> float:
    """How long to wait before the restart after this many failures in a row."""
    return min(FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1), LONGEST_BACKOFF_SECONDS)


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@dataclass
class Watched:
    child: Child
    started: float
    failures: int = 0
    #: When to start it again; None while it runs.
    due: float | None = None


class Supervisor:
    def __init__(
        self,
        *,
        keep_open: Sequence[int] = (),
        announce: Callable[[str], None] = say,
        on_restart: Callable[[Mapping[str, int]], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep_open` descriptors are inherited by the guards; `on_restart` is told the new process ids."""
        self._keep_open = keep_open
        self._announce = announce
        self._on_restart = on_restart
        self._clock = clock
        self._watched: list[Watched] = []
        self._changing = threading.RLock()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._reason = ""
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        for watched in reversed(self._watched):
            watched.child.stop()

    def start(self, spec: ProcessSpec) -> None:
        """Start a process and wait until it is ready; raises LocalServerError with the end of its log if it fails."""
        child = Child(spec, keep_open=self._keep_open)
        try:
            child.start()
            self._await_ready(child)
        except BaseException:
            child.stop()
            raise
        with self._changing:
            self._watched.append(Watched(child, self._clock()))

    def pids(self) -> dict[str, int]:
        with self._changing:
            return {watched.child.spec.name: watched.child.pid for watched in self._watched}

    def wait(self) -> None:
        """Wait for a signal (see `signals`); raises LocalServerError when a process ends that is not restarted."""
        self._ended.wait()
        raise LocalServerError(self._reason)

    def _await_ready(self, child: Child) -> None:
        is_ready = child.spec.ready
        if is_ready is None:
            return

        def settled() -> bool:
            if (code := child.exit_code()) is not None:
                raise child.failure(f"ended with exit code {code} before it was ready")
            return is_ready()

        attempts = Retrying(
            retry=retry_if_result(lambda done: not done),
            stop=stop_after_delay(READY_SECONDS),
            wait=wait_fixed(READY_POLL_SECONDS),
        )
        try:
            attempts(settled)
        except RetryError:
            raise child.failure(f"is not ready after {READY_SECONDS} s") from None

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_SECONDS):
            with self._changing:
                for watched in self._watched:
                    self._tend(watched)

    def _tend(self, watched: Watched) -> None:
        if watched.due is not None:
            if self._clock() >= watched.due:
                self._restart(watched)
        elif (code := watched.child.exit_code()) is not None:
            watched.child.sweep()
            self._after_exit(watched, f"{watched.child.spec.name} ended with exit code {code}")

    def _after_exit(self, watched: Watched, what: str) -> None:
        if not watched.child.spec.restart:
            watched.due = float("inf")
            self._reason = str(watched.child.failure(what.partition(" ")[2]))
            self._ended.set()
            return
        ran = self._clock() - watched.started
        watched.failures = 1 if ran >= STABLE_SECONDS else watched.failures + 1
        pause = backoff_seconds(watched.failures)
        watched.due = self._clock() + pause
        self._announce(f"{what}; starting it again in {pause:.0f} s, see {watched.child.spec.log_path}")

    def _restart(self, watched: Watched) -> None:
        watched.started, watched.due = self._clock(), None
        try:
            watched.child.start()
        except (LocalServerError, OSError) as error:
            self._after_exit(watched, str(error))
            return
        if self._on_restart:
            self._on_restart({watched.child.spec.name: watched.child.pid})
