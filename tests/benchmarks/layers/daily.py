"""Daily reconciliation beside a million records: the 1 % of them that changed in a day are read again."""

from __future__ import annotations

from benchmarks.fleet.figures import Table, figure
from benchmarks.fleet.stage import Stage
from benchmarks.layers.filling import fill
from benchmarks.layers.people import CHANGED, People
from benchmarks.layers.reading import MEBIBYTE, PEAK_MEBIBYTES, read
from benchmarks.layers.scan import PAGE, customer, size
from common.domain.layers import Layer

ROUNDS = 3


def measure(stage: Stage) -> Table:
    customer_id, again = customer(stage), size(stage) // CHANGED
    fill(stage.engine, customer_id, People(count=size(stage), page_size=PAGE, is_changed=True))
    people = {"count": size(stage), "page_size": PAGE, "is_changed": True}
    work = {
        "kind": "runs",
        "customer_id": customer_id,
        "layer": Layer.RECONCILIATION,
        "times": ROUNDS,
        "people": people,
    }
    told = read(stage, "daily: reconciliation", work)
    return Table(
        title=f"Daily reconciliation of {again:,} records beside {size(stage):,} in the mirror",
        figures=[
            figure("speed", [again / seconds for seconds in told["seconds"]], "records/s"),
            figure("one run", told["seconds"], "s"),
            figure("CPU of the reader", [cpu * 1000 for cpu in told["cpu_seconds"]], "ms"),
            figure("detected", told["counts"]["detected"], "events", at_most=0),
            figure("peak memory of the reader", told["peak_bytes"] / MEBIBYTE, "MiB", below=PEAK_MEBIBYTES),
        ],
        notes=[f"Pages of {PAGE}; the records are as they were, which is what reconciliation finds on a good day."],
    )  # fmt: skip
