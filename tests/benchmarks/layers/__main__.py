"""`python -m benchmarks.layers`: run the benchmarks, print a table each, and perhaps write a JSON."""

from __future__ import annotations

import sys

from benchmarks.layers import daily, polls, scan, verify_cost
from benchmarks.running import Benchmarks, run_all

BENCHMARKS: Benchmarks = {
    "polls": polls.measure,
    "scan": scan.measure,
    "daily": daily.measure,
    "verify": verify_cost.measure,
}

if __name__ == "__main__":
    sys.exit(run_all(BENCHMARKS, None, prog="benchmarks.layers", about="What the layers cost, beside their targets."))
