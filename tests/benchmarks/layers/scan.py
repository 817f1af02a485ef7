"""Full scans of a million records: pages into the mirror, and what is missing by a difference of sets at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.fleet.accounts import add_customers, customer_row, names
from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.stage import Stage
from benchmarks.layers.filling import fill
from benchmarks.layers.people import CHANGED, GONE, People
from benchmarks.layers.reading import MEBIBYTE, PEAK_MEBIBYTES, read
from common.domain.customers import Tier
from common.domain.layers import Layer

RECORDS, QUICK_RECORDS = 1_000_000, 10_000
#: A first load inserts two rows a record, and is linear: so many of them show its speed.
LOADED, QUICK_LOADED = 20_000, 2_000
#: Records of a page. VOMO's are of 15, and there its budget of requests is what a scan waits for.
PAGE = 500
LOAD, SAME, OTHER = "first load", "nothing changed", "1 % changed, 0.1 % gone"
#: As `poller.detectors.full.Full.looks`: the rest of what is gone waits for the second scan.
LOOKS = 50


def size(stage: Stage) -> int:
    return QUICK_RECORDS if stage.quick else RECORDS


def customer(stage: Stage, number: int = 0) -> str:
    """A new one."""
    name = names(number + 1)[number]
    add_customers(stage.engine, [customer_row(name, Tier.PREMIUM)])
    return name


def measure(stage: Stage) -> Table:
    loaded = QUICK_LOADED if stage.quick else LOADED
    first, second = customer(stage), customer(stage, 1)
    load = _scanned(stage, first, LOAD, loaded)
    fill(stage.engine, second, People(count=size(stage), page_size=PAGE))
    same = _scanned(stage, second, SAME, size(stage))
    other = _scanned(stage, second, OTHER, size(stage), is_changed=True, is_shrunk=True)
    told = {LOAD: load, SAME: same, OTHER: other}
    return Table(
        title=f"Full scans of {size(stage):,} records; first load of {loaded:,}",
        figures=[*_speeds(told), *_found(told), *_peaks(told)],
        notes=[
            f"Pages of {PAGE}, a transaction each; real PostgreSQL, durable; nobody applies the events meanwhile.",
            f"What is missing is looked for by its id, {LOOKS} records a run; the rest is gone by the second scan.",
        ],
    )  # fmt: skip


def _scanned(stage: Stage, customer_id: str, name: str, count: int, **people: bool) -> dict[str, Any]:
    """What the reader tells of one full scan."""
    shape = {"count": count, "page_size": PAGE, **people}
    work = {"kind": "runs", "customer_id": customer_id, "layer": Layer.FULL, "times": 1, "people": shape}
    return {**read(stage, f"scan: {name}", work), "count": count}


def _speed(told: Mapping[str, Any]) -> float:
    return float(told["count"] / told["seconds"][0])


def _speeds(told: Mapping[str, Any]) -> list[Figure]:
    """Each beside the scan that finds nothing."""
    same = told[SAME]
    return [
        *(figure(f"{name}: speed", _speed(each), "records/s") for name, each in told.items()),
        *(figure(f"{name}: speed beside {SAME}", _speed(told[name]) / _speed(same), "times") for name in (LOAD, OTHER)),
        figure(f"{SAME}: the reader's own CPU", same["cpu_seconds"][0] / same["seconds"][0] * 100, "% of a core"),
    ]


def _found(told: Mapping[str, Any]) -> list[Figure]:
    """Counts that have to be right, or the speeds mean nothing."""
    count, other = told[SAME]["count"], told[OTHER]["counts"]
    return [
        figure(f"{LOAD}: detected", told[LOAD]["counts"]["detected"], "events", at_least=told[LOAD]["count"]),
        figure(f"{SAME}: detected", told[SAME]["counts"]["detected"], "events", at_most=0),
        figure("1 % changed: detected", other["detected"], "events", at_least=count // CHANGED),
        figure("0.1 % gone: by looks", other["deleted"], "events", at_least=min(LOOKS, count // GONE)),
    ]


def _peaks(told: Mapping[str, Any]) -> list[Figure]:
    return [
        figure(f"{name}: peak memory", each["peak_bytes"] / MEBIBYTE, "MiB", below=PEAK_MEBIBYTES)
        for name, each in told.items()
    ]
