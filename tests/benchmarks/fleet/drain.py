"""Have a worker whose deliveries do nothing drain queues that were filled while it was stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from redis import Redis
from support.waiting import wait_until

from benchmarks.fleet.stage import Stage, cpu_seconds

#: What `noop` consumes by the product's transport.
LANES = "lanes"
#: Slots of one worker, as in the fleet.
CONCURRENCY = 8
#: Part of the first deliveries that is not counted: the worker wakes up in it.
WARM_UP = 0.1
#: A worker that records nothing for this long has nothing: it writes ten times a second.
QUIET_SECONDS = 0.4
START_SECONDS = 60
DRAIN_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Drained:
    """What draining took."""

    #: Deliveries a second, after the warm-up.
    rate: float
    #: CPU of the worker and of Redis for one delivery, in milliseconds.
    cpu_milliseconds: float
    #: Whose delivery was taken, in order.
    turns: list[str]


class NoopWorker:
    """A running worker; stopped (SIGSTOP) but for when it drains, so that several take turns on one machine."""

    def __init__(self, process: Popen[bytes], redis: Redis, record: Path) -> None:
        self._process = process
        self._redis = redis
        self._record = record

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def drain(self, count: int) -> Drained:
        """Go on until `count` more deliveries were taken, then stop."""
        begin, cpu = self._record.stat().st_size, self._cpu_seconds()
        self.go_on()
        lines = wait_until(
            lambda: lines if len(lines := self._lines(begin)) >= count else None,
            seconds=DRAIN_SECONDS, what=f"{count} deliveries by process {self.pid}",
        )  # fmt: skip
        cpu = self._cpu_seconds() - cpu
        self.stop()
        moments = [float(line.split()[0]) for line in lines]
        first = int(len(moments) * WARM_UP)
        return Drained(
            rate=(len(moments) - 1 - first) / (moments[-1] - moments[first]),
            cpu_milliseconds=cpu / len(moments) * 1000,
            turns=[line.split()[1] for line in lines],
        )

    def settle(self) -> None:
        """Let it finish what it has taken already; the queues must be empty."""
        self.go_on()
        wait_until(self._is_quiet, seconds=DRAIN_SECONDS, what=f"process {self.pid} to finish")
        self.stop()

    def _is_quiet(self) -> bool:
        before = self._record.stat().st_size
        time.sleep(QUIET_SECONDS)
        return self._record.stat().st_size == before

    def _cpu_seconds(self) -> float:
        server = self._redis.info("cpu")
        return cpu_seconds(self.pid) + server["used_cpu_user"] + server["used_cpu_sys"]

    def _lines(self, begin: int) -> list[str]:
        with self._record.open() as file:
            file.seek(begin)
            return file.read().splitlines()


@contextmanager
def noop_worker(stage: Stage, name: str, consumed: str, redis: Redis, broker_url: str) -> Iterator[NoopWorker]:
    """Yields when it is ready; it is stopped then. `redis` is a client of its broker."""
    record = stage.directory / f"{name}.record"
    argv = ["-m", "celery", "-A", "benchmarks.fleet.noop", "worker", "-n", f"{name}@%h", "--pool=threads"]
    settings = {"BENCH_QUEUES": consumed, "BENCH_RECORD": str(record), "FLEET_BROKER_URL": broker_url}
    options = [f"--concurrency={CONCURRENCY}", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    with stage.process(name, [*argv, *options], settings) as process:
        wait_until(record.exists, seconds=START_SECONDS, what=f"{name} to be ready; {stage.log(name)}")
        worker = NoopWorker(process, redis, record)
        worker.stop()
        try:
            yield worker
        finally:
            worker.go_on()
