"""Tables for people on standard output, progress on standard error, JSON for machines into a file."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.fleet.figures import Figure, Table
from common.cli.output import make_table

#: Columns when standard output is no terminal; names of figures are sentences.
COLUMNS = 130


def progress(line: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stderr.flush()


def show_table(table: Table) -> None:
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else COLUMNS, highlight=False, markup=False)
    rows = make_table("FIGURE", "MEDIAN", "UNIT", "LOWEST..HIGHEST", "TARGET", "", right=["MEDIAN"])
    for each in table.figures:
        rows.add_row(each.name, number(each.value), each.unit, _spread(each), each.target, verdict(each))
    console.print(f"\n{table.title}", style="bold")
    console.print(rows)
    for note in table.notes:
        console.print(f"  {note}", style="dim")


def verdict(figure: Figure) -> str:
    return {None: "", True: "met", False: "NOT MET"}[figure.met]


def number(value: float) -> str:
    """Three significant digits; whole numbers from a hundred on."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _spread(figure: Figure) -> str:
    return "" if figure.spread is None else f"{number(figure.spread[0])}..{number(figure.spread[1])}"


def write_json(path: Path, tables: Mapping[str, Table], failures: Sequence[str], *, quick: bool) -> None:
    document: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "quick": quick,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "tables": {name: asdict(table) for name, table in tables.items()},
        "failures": list(failures),
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
