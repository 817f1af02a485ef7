"""What a worker costs that has nothing to do, by how many customers there are."""

from __future__ import annotations

import time

from benchmarks.fleet.accounts import add_customers, customer_row, mixed_tier, names
from benchmarks.fleet.drain import NoopWorker, noop_worker
from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.fleet import running_processor
from benchmarks.fleet.messages import make_hot
from benchmarks.fleet.printing import progress
from benchmarks.fleet.stage import Stage, commands, cpu_seconds

#: Customers that the fleet knows, and those of the stock worker beside it.
MANY, STOCK = 10_000, 1_000
PARKED_SECONDS = 3600


def measure(stage: Stage) -> Table:
    url = f"{stage.servers.broker_url.rsplit('/', 1)[0]}/1"
    with noop_worker(stage, "stock", str(STOCK), stage.redis, url) as stock:
        figures = [*_product(stage), *_stock(stage, stock)]
    return Table(title="A worker with nothing to do", figures=figures, notes=[
        "A real processor; Redis commands are counted at the server while nobody else is running.",
    ])  # fmt: skip


def _product(stage: Stage) -> list[Figure]:
    """One worker, while customers are added behind its back."""
    many = 1_000 if stage.quick else MANY
    with running_processor(stage, "processor") as pid:
        alone = _cost(stage, pid, "ours, no customers")
        add_customers(stage.engine, [customer_row(name, mixed_tier(n)) for n, name in enumerate(names(many))])
        known = _cost(stage, pid, f"ours, {many:,} customers")
        make_hot(stage.redis, names(many), time.time() + PARKED_SECONDS)
        parked = _cost(stage, pid, f"ours, {many:,} customers, all parked")
    stage.redis.flushdb()
    return [*alone, *known, *parked]


def _stock(stage: Stage, worker: NoopWorker) -> list[Figure]:
    worker.go_on()
    try:
        return _cost(stage, worker.pid, f"stock, {STOCK:,} queues")
    finally:
        worker.stop()


def _cost(stage: Stage, pid: int, name: str) -> list[Figure]:
    """CPU and commands over a few windows of time."""
    progress(f"idle: {name}")
    seconds, windows = (2.0, 1) if stage.quick else (3.0, 3)
    time.sleep(1)  # what was begun before is over
    samples = [_window(stage, pid, seconds) for _ in range(windows)]
    return [
        figure(f"{name}: CPU", [cpu * 1000 for cpu, _ in samples], "ms/s"),
        figure(f"{name}: Redis commands", [asked for _, asked in samples], "/s"),
    ]


def _window(stage: Stage, pid: int, seconds: float) -> tuple[float, float]:
    """CPU seconds and Redis commands, both for each second."""
    began, cpu, asked = time.monotonic(), cpu_seconds(pid), commands(stage.redis)
    time.sleep(seconds)
    cpu, asked = cpu_seconds(pid) - cpu, commands(stage.redis) - asked
    passed = time.monotonic() - began
    return cpu / passed, asked / passed
