"""`python -m benchmarks.layers.reader WORK`: the poller's process of one measurement; WORK is JSON, as is its answer.

{"kind": "runs", "customer_id": ..., "layer": ..., "times": 1, "people": {...}}    runs over a pretended source
{"kind": "polls", "customer_id": ..., "times": 300}                                polls of a real one
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.layers.people import People
from common.config.settings import load_settings
from common.domain.layers import Layer
from common.domain.resources import USERS
from common.domain.runs import RunState
from common.queueing.celery_app import make_app
from poller import runs
from poller.bootstrap import Poller, build
from poller.tasks import poll_customer

#: Slices of one run: an hour of the default length.
SLICES = 120


def main(arguments: Sequence[str]) -> None:
    work = json.loads(arguments[0])
    settings = load_settings()
    app = make_app("poller", settings.require_broker_url(), log_format="json", log_level=settings.log_level)
    poller = build(settings, app)
    answer = {"runs": _runs, "polls": _polls}[work["kind"]](poller, work)
    sys.stdout.write(json.dumps({**answer, "peak_bytes": peak_bytes()}) + "\n")
    poller.locks.close()


def _runs(poller: Poller, work: Mapping[str, Any]) -> dict[str, Any]:
    """One run after the other, each to its end."""
    source = People(**work["people"])
    parts = replace(poller.run_parts, open_source=lambda _customer, _share: source)
    customer = poller.customers.get(work["customer_id"])
    samples = [_timed(lambda: _run(parts, customer, Layer(work["layer"]))) for _ in range(work["times"])]
    reports = poller.overview.runs(work["customer_id"], limit=work["times"])
    return {
        "seconds": [seconds for seconds, _ in samples],
        "cpu_seconds": [cpu for _, cpu in samples],
        "counts": asdict(reports[0].counts),
    }


def _run(parts: Any, customer: Any, layer: Layer) -> None:
    """Raises RuntimeError unless it ends well."""
    for _ in range(SLICES):
        state = runs.run(parts, customer, USERS, layer)
        if state is RunState.COMPLETED:
            return
        if state is not RunState.CONTINUED:
            break
    raise RuntimeError(f"the run is {state}")


def _polls(poller: Poller, work: Mapping[str, Any]) -> dict[str, Any]:
    """Whole polls of a customer, after one that reads what there is."""
    poll_customer(poller, work["customer_id"])
    before = _requests(poller, work["customer_id"])
    samples = [_timed(lambda: poll_customer(poller, work["customer_id"])) for _ in range(work["times"])]
    after = _requests(poller, work["customer_id"])
    return {
        "seconds": [seconds for seconds, _ in samples],
        "cpu_seconds": [cpu for _, cpu in samples],
        "requests": (after["requests"] - before["requests"]) / work["times"],
        "detected": after["detected"] - before["detected"],
    }


def _requests(poller: Poller, customer_id: str) -> dict[str, int]:
    """Of all its runs up to now."""
    reports = poller.overview.runs(customer_id, limit=1_000_000)
    return {name: sum(getattr(run.counts, name) for run in reports) for name in ("requests", "detected")}


def _timed(work: Any) -> tuple[float, float]:
    """Seconds that passed, and seconds of CPU of this process, all threads."""
    began, cpu = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - began, time.process_time() - cpu


def peak_bytes() -> int:
    """The highest resident size so far (man 5 proc, /proc/pid/status, VmHWM, in KiB)."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
