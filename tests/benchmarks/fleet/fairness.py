"""What one customer's flood, or its slow destination, costs the others."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from support.waiting import wait_until

from benchmarks.fleet.accounts import add_flood
from benchmarks.fleet.arithmetic import percentile
from benchmarks.fleet.figures import Figure, Table, figure, ratios
from benchmarks.fleet.fleet import running_poller, running_processor
from benchmarks.fleet.messages import Deliveries as Copies
from benchmarks.fleet.messages import published_delivery, publisher
from benchmarks.fleet.neighbours import LANE, Arrival, Quiet, delays, move_in, running_destination
from benchmarks.fleet.printing import progress
from benchmarks.fleet.stage import Stage, cpu_seconds, machine_busy, waited_seconds
from common.domain.clock import SystemClock
from common.metrics.catalogue import Metrics
from common.queueing.celery_app import plain_queue
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.queueing.names import SWEEP, SWEEP_QUEUE
from common.storage.customers import PostgresCustomerStore

FLOOD, SLOW = "flood", "slow-destination"
IDLE, FLOODED = "idle", "under the flood"
#: Seconds a call takes at the destination, and at that of the slow customer.
LATENCY, SLOW_LATENCY = 0.05, 10.0
WORKERS = 2
#: Of the product's settings: deliveries of one customer that a worker works on at a time.
CUSTOMER_SLOTS = 2
#: Changes a second, of all quiet customers together.
PACE = 10.0
#: One delivery is published for each page of the source that holds changes.
EVENTS_A_PAGE = 15
#: Beat's, by default, in seconds.
SWEEP_EVERY = 2.0
SETTINGS = {"FLEET_CRM_REQUESTS_PER_HOUR": "1000000"}


@dataclass(kw_only=True)
class Delays:
    """Seconds from publishing to the request at the destination, by round."""

    idle: list[list[float]] = field(default_factory=list)
    flooded: list[list[float]] = field(default_factory=list)
    beside_slow: list[float] = field(default_factory=list)
    #: By phase, in percent: of all cores, busy; of a core, what the processors ran and how long they waited for one.
    busy: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    worked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waited: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    slow_slots: int = 0
    flood_events: int = 0


def measure(stage: Stage) -> Table:
    with ExitStack() as stack:
        return _table(_Scene(stage, stack).play())


class _Scene:
    """Two real processors, a poller for the sweep, a destination, and a thousand customers."""

    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        self._stage = stage
        self._seconds, self._rounds = (4.0, 1) if stage.quick else (15.0, 2)
        self._flood = 300 if stage.quick else 100_000
        quiet = [f"quiet-{number:03d}" for number in range(99 if stage.quick else 999)]
        self._destination = stack.enter_context(running_destination(stage, LATENCY, SLOW_LATENCY))
        move_in(stage, self._destination, [*quiet, FLOOD, SLOW])
        self._app = publisher(stage.servers.broker_url)
        stack.callback(self._app.close)
        self._hot_set = HotSet(stage.redis)
        clock = SystemClock()
        deliveries = Deliveries(self._app, self._hot_set, clock, Metrics(CollectorRegistry()))
        self._customers = PostgresCustomerStore(stage.engine, clock)
        self._copies = Copies(stage.redis, published_delivery(self._app, stage.redis))
        self._quiet = Quiet(stage, deliveries, quiet)
        self._found = Delays()
        self._processors = [
            stack.enter_context(running_processor(stage, f"processor{number}", number, SETTINGS))
            for number in range(1, WORKERS + 1)
        ]
        stack.enter_context(running_poller(stage, SETTINGS))
        stack.enter_context(self._swept())

    def play(self) -> Delays:
        found = self._found
        for name in (FLOOD, SLOW):
            self._customers.pause(name, "its turn has not come")
        add_flood(self._stage.engine, FLOOD, self._flood)
        add_flood(self._stage.engine, SLOW, 1_000)
        self._phase("warm-up", 2.0)
        for _ in range(self._rounds):
            found.idle.append(self._phase(IDLE, self._seconds)[0])
            with self._working(FLOOD, self._flood):
                waits, others = self._phase(FLOODED, self._seconds)
            found.flooded.append(waits)
            found.flood_events += len(others)
        with self._working(SLOW, 1_000):
            found.beside_slow, others = self._phase("beside a slow destination", self._seconds)
        self._destination.stop()  # nobody need wait for its last answers
        found.slow_slots = max((each.under_way for each in others if each.customer == SLOW), default=0)
        return found

    def _phase(self, name: str, seconds: float) -> tuple[list[float], list[Arrival]]:
        progress(f"fairness: {name}")
        self._destination.log()
        with self._watched(name):
            published = self._quiet.publish(seconds, PACE)
        return delays(self._destination, published)

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """Note what the machine does meanwhile: on one that is busy with other things, delays say little."""
        began, (busy, whole) = time.monotonic(), machine_busy()
        worked, waited = self._of_processors(cpu_seconds), self._of_processors(waited_seconds)
        yield
        percent = 100 / (time.monotonic() - began)
        busy_after, whole_after = machine_busy()
        self._found.busy[name].append((busy_after - busy) / (whole_after - whole) * 100)
        self._found.worked[name].append((self._of_processors(cpu_seconds) - worked) * percent)
        self._found.waited[name].append((self._of_processors(waited_seconds) - waited) * percent)

    def _of_processors(self, measured: Callable[[int], float]) -> float:
        return sum(map(measured, self._processors))

    @contextmanager
    def _working(self, name: str, events: int) -> Iterator[None]:
        """With all its pages published, as after a long scan; afterwards paused, its slices over."""
        self._customers.resume(name)
        self._copies.push([name], events // EVENTS_A_PAGE)
        self._hot_set.add(LANE, name)
        yield
        self._customers.pause(name, "its turn is over")
        self._hot_set.forget(name, LANE)
        if name == FLOOD:
            progress("fairness: its last slices end")
            wait_until(lambda: not self._quiet_for(1.0), seconds=60, what="the flood to end")

    def _quiet_for(self, seconds: float) -> int:
        self._destination.log()
        time.sleep(seconds)
        return len(self._destination.log())

    @contextmanager
    def _swept(self) -> Iterator[None]:
        """As beat has the fleet swept, but without its polls, for there is no source here."""
        over = threading.Event()

        def sweep() -> None:
            while not over.wait(SWEEP_EVERY):
                self._app.send_task(SWEEP, queue=plain_queue(SWEEP_QUEUE), expires=SWEEP_EVERY)

        thread = threading.Thread(target=sweep, name="sweep", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _table(found: Delays) -> Table:
    idle, flooded = _p(found.idle, 99), _p(found.flooded, 99)
    return Table(title="One customer's trouble, and the delay of the others' deliveries", figures=[
        figure("quiet customers, idle: p50", _p(found.idle, 50), "ms"),
        figure("quiet customers, idle: p99", idle, "ms"),
        figure("beside a flood of one: p50", _p(found.flooded, 50), "ms"),
        figure("beside a flood of one: p99", flooded, "ms", below=250),
        figure("beside a flood of one: p99, of its idle value", ratios(flooded, idle), "times", below=2),
        figure("events of the flood applied meanwhile", found.flood_events, ""),
        *_slow(found),
        *(each for name in (IDLE, FLOODED) for each in _machine(found, name)),
    ], notes=[
        f"{WORKERS} processors of 8 threads, all customers in one lane; {PACE:.0f} changes a second of the quiet ones.",
        "Delay: from publishing the delivery to its first request at the destination, its own time not included.",
        f"The destination is a stand-in that takes {LATENCY * 1000:.0f} ms a call; beside it the sandbox is too slow.",
    ])  # fmt: skip


def _machine(found: Delays, name: str) -> list[Figure]:
    return [
        figure(f"{name}: machine busy", found.busy[name], "% of all cores"),
        figure(f"{name}: processors' CPU", found.worked[name], "% of a core"),
        figure(f"{name}: processors waiting for a core", found.waited[name], "% of the time, all threads"),
    ]


def _slow(found: Delays) -> list[Figure]:
    return [
        figure(f"a destination of {SLOW_LATENCY:.0f} s a call: slots it holds", found.slow_slots, "",
               at_most=CUSTOMER_SLOTS * WORKERS),
        figure("beside it: p50", percentile(found.beside_slow, 50) * 1000, "ms"),
        figure("beside it: p99", percentile(found.beside_slow, 99) * 1000, "ms", below=250),
    ]  # fmt: skip


def _p(rounds: Sequence[Sequence[float]], percent: float) -> list[float]:
    return [percentile(each, percent) * 1000 for each in rounds]
