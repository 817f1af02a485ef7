"""What `fleet verify` costs in requests to the destination, when none, one and one in a hundred of its contacts differ.

The product's part and its store are real; the list is a double at the seam of `Lists` (`support.listed`), so that
100,000 contacts need no 100,000 contacts. The first check reads all; those after it what was modified since.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from support.listed import PAGE_ROWS, fill_in_step

from benchmarks.fleet.figures import Figure, Table, figure
from benchmarks.fleet.stage import Stage
from benchmarks.layers.reading import MEBIBYTE, PEAK_MEBIBYTES, read

#: Promised by issue 5, point 3: one tampered record of 100,000 is found.
RECORDS, QUICK_RECORDS = 100_000, 3_000


def measure(stage: Stage) -> Table:
    """Targets: the first reads each page once; then one count and the pages of what was modified; all are named."""
    count = QUICK_RECORDS if stage.quick else RECORDS
    fill_in_step(stage.engine, count)
    told = read(stage, f"verify: {count:,} records", {"count": count}, module="benchmarks.layers.checker")
    figures = [
        figure("first check, of all", told["first"]["requests"], "requests", at_most=math.ceil(count / PAGE_ROWS)),
        figure("first check, of all: time", told["first"]["seconds"], "s"),
    ]
    for name in ("none", "one", "1 %"):
        figures += _of_step(name, told[name])
    figures.append(figure("peak memory of the checker", told["peak_bytes"] / MEBIBYTE, "MiB", below=PEAK_MEBIBYTES))
    return Table(
        title=f"A check of {count:,} records, when none, one and 1 % differ",
        figures=figures,
        notes=["Requests to the destination; the time is the checker's and PostgreSQL's, without the API's answers."],
    )


def _of_step(name: str, told: Mapping[str, Any]) -> Iterator[Figure]:
    at_most = 1 + max(1, math.ceil(told["differing"] / PAGE_ROWS))
    yield figure(f"{name} differ", told["requests"], "requests", at_most=at_most)
    yield figure(f"{name} differ: time", told["seconds"], "s")
    yield figure(f"{name} differ: named", told["named"], "records", at_least=told["differing"])
    yield figure(f"{name} differ: wrongly named", told["wrongly"], "records", at_most=0)
