"""`python -m benchmarks.fleet`: run the benchmarks, print a table each, and perhaps write a JSON."""

from __future__ import annotations

import sys

from benchmarks.fleet import beat, budgets, deliveries, fairness, idle, onboarding
from benchmarks.running import Benchmarks, run_all

BENCHMARKS: Benchmarks = {
    "beat": beat.measure,
    "deliveries": deliveries.measure,
    "idle": idle.measure,
    "budgets": budgets.measure,
    "onboarding": onboarding.measure,
    "fairness": fairness.measure,
}

if __name__ == "__main__":
    sys.exit(run_all(BENCHMARKS, None, prog="benchmarks.fleet", about="What the fleet costs, beside its targets."))
