"""Whether budgets hold over eight processes, a flush of Redis and clocks that jump, and what they leave unused."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from support.waiting import wait_until

from benchmarks.fleet.accounts import add_customers, customer_row, names
from benchmarks.fleet.arithmetic import percentile, share_used, used_when_refused, violations
from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.printing import progress
from benchmarks.fleet.spender import Orders
from benchmarks.fleet.stage import Stage
from common.domain.customers import Tier

PROCESSES = 8
#: What is asked for where it is asked for at a pace, as part of the limit: a little too much.
DEMAND = 1.15
#: An answer from before the flush is back by then.
IN_FLIGHT_SECONDS = 0.5
#: Those of them whose time of day jumps.
JUMPING = 4
#: Seconds for all to start and, beyond their spending, to end.
PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is spent: `limit` requests in any window, for each of the customers."""

    #: Half of them are asked for as fast as may be, half at a pace.
    customers: int
    limit: int
    window_seconds: int
    seconds: float
    #: When Redis is flushed, in seconds from the start.
    flush_at: float


#: A short window, so that there are several before and after the flush. Six windows of ten customers are 100,000.
FULL = Size(customers=10, limit=1_800, window_seconds=10, seconds=67, flush_at=27)
QUICK = Size(customers=6, limit=100, window_seconds=2, seconds=12, flush_at=5)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What the processes noted, together."""

    granted: dict[str, list[float]]
    refused: dict[str, list[float]]
    latencies: list[float]
    flushed_at: float


def measure(stage: Stage) -> Table:
    size = QUICK if stage.quick else FULL
    spent = _spend(stage, size)
    total = sum(map(len, spent.granted.values()))
    broken = sum(violations(each, size.limit, size.window_seconds) for each in spent.granted.values())
    return Table(title=f"Budgets: {PROCESSES} processes, Redis flushed, clocks of {JUMPING} jumping", figures=[
        figure("requests granted", total, ""),
        figure("requests asked for", len(spent.latencies), ""),
        figure("requests over the limit, in any sliding window", broken, "", at_most=0),
        *_used(spent, size),
        _closed(spent, size),
        *_latencies(spent),
    ], notes=[
        f"{size.customers} customers, each with {size.limit} requests in any {size.window_seconds} s.",
        "A request counts when its permission is back in the caller's hands, on a clock that all processes share.",
        "The spread of the part used is over customers, before and after the flush.",
        "Where little is used and much while requests are refused, the machine was too slow to ask for enough.",
    ])  # fmt: skip


def _spend(stage: Stage, size: Size) -> Spent:
    customers = names(size.customers)
    add_customers(stage.engine, [customer_row(name, Tier.STANDARD) for name in customers])
    stems = [stage.directory / f"spender{number}" for number in range(PROCESSES)]
    go = stage.directory / "go"
    with ExitStack() as stack:
        for number, stem in enumerate(stems):
            orders = _orders(stage, size, customers, stem, go, jumps=number < JUMPING)
            stack.enter_context(stage.process(stem.name, ["-m", "benchmarks.fleet.spender", orders.to_json()]))
        _await(stems, ".ready", PATIENCE_SECONDS)
        go.touch()
        progress(f"budgets: {PROCESSES} processes spend for {size.seconds:.0f} s")
        flushed_at = _flush(stage, size)
        _await(stems, ".json", size.seconds + PATIENCE_SECONDS)
    go.unlink()
    return _gather(stems, flushed_at)


def _orders(stage: Stage, size: Size, customers: list[str], stem: Path, go: Path, *, jumps: bool) -> Orders:
    return Orders(
        database_url=stage.servers.database_url,
        broker_url=stage.servers.broker_url,
        hammered=customers[0::2],
        paced=customers[1::2],
        pace_seconds=PROCESSES * size.window_seconds / (DEMAND * size.limit),
        limit=size.limit,
        window_seconds=size.window_seconds,
        seconds=size.seconds,
        jumps=jumps,
        stem=str(stem),
        go=str(go),
    )


def _flush(stage: Stage, size: Size) -> float:
    time.sleep(size.flush_at)
    stage.redis.flushall()
    progress("budgets: Redis is flushed")
    return time.monotonic()


def _await(stems: Sequence[Path], suffix: str, seconds: float) -> None:
    paths = [stem.with_suffix(suffix) for stem in stems]
    wait_until(lambda: all(path.exists() for path in paths), seconds=seconds, what=f"all {suffix} of the spenders")


def _gather(stems: Sequence[Path], flushed_at: float) -> Spent:
    spent = Spent(granted=defaultdict(list), refused=defaultdict(list), latencies=[], flushed_at=flushed_at)
    for stem in stems:
        result = json.loads(stem.with_suffix(".json").read_text())
        spent.latencies.extend(result["latencies"])
        for into, found in ((spent.granted, result["granted"]), (spent.refused, result["refused"])):
            for customer, moments in found.items():
                into[customer] += moments
    return spent


def _used(spent: Spent, size: Size) -> list[Figure]:
    customers = names(size.customers)
    groups = ((f"asked for {DEMAND:.0%} of it", customers[1::2]), ("asked for without end", customers[0::2]))
    return [each for how, group in groups for each in _used_by(spent, size, group, how)]


def _used_by(spent: Spent, size: Size, customers: Sequence[str], how: str) -> list[Figure]:
    """Of each customer before the flush, and after it when the budget is open again."""
    limit, window = size.limit, size.window_seconds
    spans = [span for customer in customers for span in _spans(spent, customer)]
    whole = [share_used(granted, limit, window) for granted, _ in spans]
    refused = [used_when_refused(granted, denied, limit, window) for granted, denied in spans]
    return [
        figure(f"allowance used, {how}", _percent(whole), "%", at_least=95),
        figure(f"allowance used while requests were refused, {how}", _percent(refused), "%"),
    ]


def _spans(spent: Spent, customer: str) -> list[tuple[list[float], list[float]]]:
    """Grants and refusals, without the time in which the budget was closed."""
    return [
        (_between(spent.granted[customer], begin, end), _between(spent.refused[customer], begin, end))
        for begin, end in ((0.0, spent.flushed_at), (_reopened(spent, customer), math.inf))
    ]


def _between(moments: Sequence[float], begin: float, end: float) -> list[float]:
    return [each for each in moments if begin <= each < end]


def _percent(shares: Sequence[float | None]) -> list[float]:
    return [share * 100 for share in shares if share is not None]


def _reopened(spent: Spent, customer: str) -> float:
    """The first grant after the flush; what returned just then had been granted before it."""
    return min(each for each in spent.granted[customer] if each > spent.flushed_at + IN_FLIGHT_SECONDS)


def _closed(spent: Spent, size: Size) -> Figure:
    """From the flush to a customer's next request. Less than a window would be a guess that nothing was used."""
    waits = [_reopened(spent, customer) - spent.flushed_at for customer in spent.granted]
    return figure("closed after the flush", waits, "s", at_least=size.window_seconds)


def _latencies(spent: Spent) -> list[Figure]:
    return [figure(f"acquire, p{percent}", percentile(spent.latencies, percent) * 1000, "ms") for percent in (50, 99)]
