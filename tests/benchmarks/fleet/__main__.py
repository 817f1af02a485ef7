"""`python -m benchmarks.fleet`: run the benchmarks, print a table each, and perhaps write a JSON."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.fleet import beat, budgets, deliveries, fairness, idle, onboarding
from benchmarks.fleet.figures import Table
from benchmarks.fleet.printing import progress, show_table, write_json
from benchmarks.fleet.stage import Stage, set_stage
from deploy.local.signals import stop_on_signals

#: By name, in the order in which they run.
BENCHMARKS: Mapping[str, Callable[[Stage], Table]] = {
    "beat": beat.measure,
    "deliveries": deliveries.measure,
    "idle": idle.measure,
    "budgets": budgets.measure,
    "onboarding": onboarding.measure,
    "fairness": fairness.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 only if something could not be measured; a missed target is printed, and no failure."""
    options = _options(arguments)
    tables: dict[str, Table] = {}
    failures: list[str] = []
    with stop_on_signals(), set_stage(quick=options.quick) as stage:
        for name in options.only or BENCHMARKS:
            _run(stage, name, tables, failures)
    if options.json:
        write_json(options.json, tables, failures, quick=options.quick)
    _sum_up(tables, failures)
    return 1 if failures else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.fleet", description="What the fleet costs, beside its targets.")
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=BENCHMARKS, help=f"of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="small and short: to see that it runs")
    return parser.parse_args(arguments)


def _run(stage: Stage, name: str, tables: dict[str, Table], failures: list[str]) -> None:
    """One that breaks does not keep the others from running."""
    progress(f"{name} ...")
    stage.clear()
    try:
        tables[name] = BENCHMARKS[name](stage)
    except Exception as defect:  # noqa: BLE001 - said below, and in the exit code
        progress(traceback.format_exc())
        failures.append(f"{name}: {type(defect).__name__}: {str(defect).splitlines()[0]}")
        return
    show_table(tables[name])


def _sum_up(tables: Mapping[str, Table], failures: Sequence[str]) -> None:
    judged = [figure for table in tables.values() for figure in table.figures if figure.met is not None]
    missed = [figure.name for figure in judged if not figure.met]
    progress(f"{len(judged) - len(missed)} of {len(judged)} targets met")
    for line in (*(f"not met: {name}" for name in missed), *(f"not measured: {line}" for line in failures)):
        progress(line)


if __name__ == "__main__":
    sys.exit(main())
