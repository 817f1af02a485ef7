"""Run a family of benchmarks by name: a table for each on standard output, and perhaps all of them as JSON."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from benchmarks.fleet.figures import Table
from benchmarks.fleet.printing import progress, show_table, write_json
from benchmarks.fleet.stage import Stage, set_stage
from deploy.local.signals import stop_on_signals

#: By name, in the order in which they run.
Benchmarks: TypeAlias = Mapping[str, Callable[[Stage], Table]]


def run_all(benchmarks: Benchmarks, arguments: Sequence[str] | None, *, prog: str, about: str) -> int:
    """Exit code 1 only if something could not be measured; a missed target is printed, and no failure."""
    options = _options(benchmarks, arguments, prog, about)
    tables: dict[str, Table] = {}
    failures: list[str] = []
    with stop_on_signals(), set_stage(quick=options.quick) as stage:
        for name in options.only or benchmarks:
            _run(stage, name, benchmarks[name], tables, failures)
    if options.json:
        write_json(options.json, tables, failures, quick=options.quick)
    _sum_up(tables, failures)
    return 1 if failures else 0


def _options(benchmarks: Benchmarks, arguments: Sequence[str] | None, prog: str, about: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=prog, description=about)
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=benchmarks, help=f"of {', '.join(benchmarks)}"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="small and short: to see that it runs")
    return parser.parse_args(arguments)


def _run(
    stage: Stage, name: str, measure: Callable[[Stage], Table], tables: dict[str, Table], failures: list[str]
) -> None:
    """One that breaks does not keep the others from running."""
    progress(f"{name} ...")
    stage.clear()
    try:
        tables[name] = measure(stage)
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
