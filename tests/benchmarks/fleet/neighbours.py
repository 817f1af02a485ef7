"""The customers of the fairness benchmark, and how long their deliveries wait."""

from __future__ import annotations

import itertools
import json
import random
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy import insert
from support.hub import MASTER_KEY
from support.waiting import wait_until

from benchmarks.fleet.accounts import add_customers, add_event, customer_row
from benchmarks.fleet.stage import Stage
from common.cli.onboarding import Sealed
from common.credentials.vault import Vault
from common.domain.clock import SystemClock
from common.domain.customers import Lane, System, Tier
from common.queueing.deliveries import Deliveries
from common.storage.tables import credentials, data_keys

LANE = Lane.STANDARD
#: Seconds until the last deliveries of a phase must have begun.
ARRIVAL_SECONDS = 30
START_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request as the destination saw it come."""

    customer: str
    at: float
    under_way: int


class Destination:
    """The stand-in's log, from this side."""

    def __init__(self, port: int, stop: Callable[[], None]) -> None:
        self.port = port
        self.stop = stop

    def log(self) -> list[Arrival]:
        """What came since it was last asked."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/log", timeout=10) as answer:
            return [Arrival(customer=name, at=at, under_way=many) for name, at, many in json.load(answer)]


@contextmanager
def running_destination(stage: Stage, latency: float, slow_latency: float) -> Iterator[Destination]:
    argv = ["-m", "benchmarks.fleet.destination", str(latency), str(slow_latency)]
    with stage.process("destination", argv) as child:
        said = wait_until(lambda: stage.log("destination").strip(), seconds=START_SECONDS, what="a destination")
        yield Destination(int(said), child.terminate)


def move_in(stage: Stage, destination: Destination, names: Sequence[str]) -> None:
    """Customers with a token each and an address of their own at the destination."""
    rows = []
    for name in names:
        settings = {"base_url": f"http://127.0.0.1:{destination.port}/{name}", "create": "direct"}
        rows.append(customer_row(name, Tier.STANDARD, destination_settings={**settings, "visibility_seconds": 0}))
    add_customers(stage.engine, rows)
    sealed = {name: _sealed(name) for name in names}
    now = datetime.now(UTC)
    keys = [
        {"customer_id": name, "wrapped_key": each.key[0], "master_key_id": each.key[1], "created_at": now}
        for name, each in sealed.items()
    ]
    tokens = [
        {"customer_id": name, "system": system, "ciphertext": text, "updated_at": now}
        for name, each in sealed.items()
        for system, text in each.ciphertexts.items()
    ]
    with stage.engine.begin() as connection:
        connection.execute(insert(data_keys), keys)
        connection.execute(insert(credentials), tokens)


def _sealed(name: str) -> Sealed:
    sealed = Sealed()
    Vault(MASTER_KEY, sealed, SystemClock()).put(name, System.DESTINATION, SecretStr(f"token-of-{name}"))
    return sealed


class Quiet:
    """Customers with a change now and then."""

    def __init__(self, stage: Stage, deliveries: Deliveries, names: Sequence[str]) -> None:
        self._stage = stage
        self._deliveries = deliveries
        self._people = itertools.count(1)
        order = list(names)
        random.Random(1).shuffle(order)
        self._next = itertools.cycle(order)

    def publish(self, seconds: float, per_second: float) -> Mapping[str, list[float]]:
        """At an even pace; returns when each delivery was published, by customer."""
        published: dict[str, list[float]] = defaultdict(list)
        began = time.monotonic()
        for number in range(int(seconds * per_second)):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            name = next(self._next)
            add_event(self._stage.engine, name, next(self._people))
            published[name].append(time.monotonic())
            self._deliveries.publish(name, LANE, by="poll")
        return published


def delays(destination: Destination, published: Mapping[str, list[float]]) -> tuple[list[float], list[Arrival]]:
    """Seconds from each publishing to the request it led to, and what else came meanwhile.

    Raises AssertionError if a delivery does not begin at all.
    """
    arrivals: list[Arrival] = []

    def all_there() -> bool:
        arrivals.extend(destination.log())
        return all(len(_of(arrivals, name)) >= len(moments) for name, moments in published.items())

    wait_until(all_there, seconds=ARRIVAL_SECONDS, what="all deliveries of quiet customers to begin")
    waits = [
        arrival - moment
        for name, moments in published.items()
        for moment, arrival in zip(moments, _of(arrivals, name), strict=False)
    ]
    return waits, [each for each in arrivals if each.customer not in published]


def _of(arrivals: Sequence[Arrival], name: str) -> list[float]:
    return [each.at for each in arrivals if each.customer == name]
