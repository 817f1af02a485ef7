"""What a delivery costs by the number of customers' queues: ours beside stock kombu, round by round."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis import Redis

from benchmarks.fleet.accounts import names
from benchmarks.fleet.arithmetic import passed_over, turns_apart
from benchmarks.fleet.drain import LANES, Drained, noop_worker
from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.messages import LANE, Deliveries, make_hot, published_delivery, publisher
from benchmarks.fleet.printing import progress
from benchmarks.fleet.stage import Stage
from common.queueing.names import hot_set_key

#: Customers with work where most are idle.
ACTIVE = 50
MANY = 10_000
#: Many short ones: what else the machine does comes and goes.
ROUNDS = 3
#: Sizes at which the stock subscription is bearable.
STOCK_SIZES, QUICK_STOCK_SIZES = (1, 10, 100, 1_000), (1, 1_000)
#: How far in the future parked customers are, in seconds.
PARKED_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Case:
    """How the queues are filled: messages for `hot` customers, out of `known`, of whom `parked` are parked."""

    name: str
    known: int
    hot: int
    parked: int = 0
    #: A hot customer stays hot for as long as is measured.
    stays_hot: bool = False


ONE = Case(name="one queue", known=1, hot=1)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A case, and one queue just before it: what slows the machine down meets both."""

    case: Drained
    one: Drained


def measure(stage: Stage) -> Table:
    with ExitStack() as stack:
        bench = _Bench(stage, stack)
        pairs: dict[str, list[Pair]] = defaultdict(list)
        for number in range(1 if stage.quick else ROUNDS):
            for name, drain in bench.variants().items():
                pairs[name].append(Pair(one=bench.drain(ONE), case=drain()))
                _tell(number, name, pairs[name][-1])
        turns = bench.turns()
    return Table(title="Cost of a delivery that does nothing, by number of customers", figures=[
        *_base(pairs), *(each for name, of_one in pairs.items() for each in _case(name, of_one)), *turns,
    ], notes=[
        "One worker process with 8 threads, which one customer may hold all; rate after a warm-up.",
        "Before each case one queue is drained; ratios are to that. CPU is the worker's and that of Redis.",
        "stock: kombu's own Redis transport consuming that many queues, at most 50 of them with messages.",
    ])  # fmt: skip


def _tell(number: int, name: str, pair: Pair) -> None:
    progress(f"deliveries: round {number + 1}: {name}: {pair.case.rate:.0f}/s, one queue: {pair.one.rate:.0f}/s")


class _Bench:
    """Workers of all kinds, each stopped but for its turn."""

    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        self._stage = stage
        self._count = 300 if stage.quick else 600
        self._many = 1_000 if stage.quick else MANY
        url = stage.servers.broker_url
        self._ours = stack.enter_context(noop_worker(stage, "ours", LANES, stage.redis, url))
        app = publisher(url)
        stack.callback(app.close)
        template = published_delivery(app, stage.redis)
        self._messages = Deliveries(stage.redis, template)
        sizes = QUICK_STOCK_SIZES if stage.quick else STOCK_SIZES
        self._stock = {size: _Stock(stage, stack, size, database, template) for database, size in enumerate(sizes, 1)}

    def variants(self) -> Mapping[str, Callable[[], Drained]]:
        many = self._many
        cases = (
            Case(name="100 customers, 50 active", known=100, hot=ACTIVE),
            Case(name="1,000 customers, 50 active", known=1_000, hot=ACTIVE),
            Case(name=f"{many:,} customers, 50 active", known=many, hot=ACTIVE),
            Case(name=f"{many:,} customers, 50 active, the rest parked", known=many, hot=ACTIVE, parked=many - ACTIVE),
            Case(name="1,000 customers, all hot", known=1_000, hot=1_000, stays_hot=True),
            Case(name=f"{many:,} customers, all hot", known=many, hot=many, stays_hot=True),
        )
        ours = {case.name: partial(self.drain, case) for case in cases}
        stock = {f"stock, {size:,} queues": partial(each.drain, self._count) for size, each in self._stock.items()}
        return {**ours, **stock}

    def _empty(self) -> None:
        self._stage.redis.flushdb()
        self._ours.settle()
        self._stage.redis.flushdb()

    def drain(self, case: Case) -> Drained:
        self._empty()
        known = names(case.known)
        hot, parked = known[: case.hot], known[case.hot : case.hot + case.parked]
        total = max(self._count, 2 * case.hot) if case.stays_hot else self._count
        self._messages.push(hot, total)
        make_hot(self._stage.redis, hot, time.time() - 60)
        make_hot(self._stage.redis, parked, time.time() + PARKED_SECONDS)
        return self._ours.drain(self._count)

    def turns(self) -> list[Figure]:
        """Everybody hot, two deliveries each: who was served when."""
        self._empty()
        hot = names(self._many)
        self._messages.push(hot, 2 * len(hot))
        make_hot(self._stage.redis, hot, time.time() - 60)
        progress(f"deliveries: the turns of {len(hot)} customers")
        turns = self._ours.drain(2 * len(hot)).turns
        left = int(self._stage.redis.zcard(hot_set_key(LANE)))
        return [
            figure("all hot: customers with two turns while another waited", passed_over(turns), "", at_most=0),
            figure("all hot: most turns from one of a customer to its next", turns_apart(turns), f"of {len(hot)}",
                   at_most=len(hot)),
            figure("all hot: customers left hot without a message", left, "", at_most=0),
        ]  # fmt: skip


class _Stock:
    """A worker that consumes so many queues by kombu's own transport.

    Each has a Redis database of its own: what a stopped worker waits for would be sent to it all the same.
    """

    def __init__(self, stage: Stage, stack: ExitStack, size: int, database: int, template: dict[str, Any]) -> None:
        url = f"{stage.servers.broker_url.rsplit('/', 1)[0]}/{database}"
        self._redis = Redis.from_url(url)
        stack.callback(self._redis.close)
        self._messages = Deliveries(self._redis, template)
        self._customers = names(size)[:ACTIVE]
        self._worker = stack.enter_context(noop_worker(stage, f"stock{size}", str(size), self._redis, url))

    def drain(self, count: int) -> Drained:
        self._redis.flushdb()
        self._messages.push(self._customers, count)
        return self._worker.drain(count)


def _base(pairs: Mapping[str, Sequence[Pair]]) -> list[Figure]:
    ones = [pair.one for of_one in pairs.values() for pair in of_one]
    return [
        figure(f"{ONE.name}: rate", [one.rate for one in ones], "/s"),
        figure(f"{ONE.name}: CPU", [one.cpu_milliseconds for one in ones], "ms/delivery"),
    ]


def _case(name: str, pairs: Sequence[Pair]) -> list[Figure]:
    by_rate = [pair.case.rate / pair.one.rate * 100 for pair in pairs]
    by_cpu = [pair.one.cpu_milliseconds / pair.case.cpu_milliseconds * 100 for pair in pairs]
    return [
        figure(f"{name}: rate", [pair.case.rate for pair in pairs], "/s"),
        figure(f"{name}: of the one-queue rate", by_rate, "%", at_least=_target(name)),
        figure(f"{name}: CPU", [pair.case.cpu_milliseconds for pair in pairs], "ms/delivery"),
        figure(f"{name}: of the one-queue rate, by CPU", by_cpu, "%"),
    ]


def _target(name: str) -> float | None:
    """Of issue 3, point 3; promised at the largest number, and so at all below it."""
    if name.startswith("stock"):
        return None
    return 60 if name.endswith("all hot") else 90
