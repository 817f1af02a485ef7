"""The outcome for people, and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console

from common.cli.output import make_table
from soak.judging import Finding, Outcome

#: Columns where the output is no terminal.
COLUMNS = 160
HEADINGS = ("SERIES", "LOWEST", "MEDIAN", "HIGHEST", "BY QUARTER", "AN HOUR", "GREW", "ALLOWED", "")


def show(outcome: Outcome, console: Console) -> None:
    rows = make_table(*HEADINGS, right=["LOWEST", "MEDIAN", "HIGHEST", "AN HOUR", "GREW", "ALLOWED"])
    for each in outcome.findings:
        rows.add_row(*_cells(each))
    console.print(rows)
    for line in outcome.troubles:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(summary(outcome), markup=False, highlight=False, soft_wrap=True)


def summary(outcome: Outcome) -> str:
    return (
        f"{outcome.verdict}: {outcome.seconds / 60:g} minutes, {outcome.edits} edits, {outcome.faults} faults, "
        f"{len(outcome.audit)} findings of the auditor, {len(outcome.troubles)} troubles"
    )


def to_json(outcome: Outcome) -> str:
    return json.dumps({"verdict": outcome.verdict, "troubles": list(outcome.troubles), **asdict(outcome)})


def _cells(each: Finding) -> tuple[str, ...]:
    by_quarter = " ".join(map(_number, each.quarters))
    allowed = "told" if each.allowed is None else _number(each.allowed)
    figures = map(_number, (each.lowest, each.median, each.highest))
    return each.name, *figures, by_quarter, _number(each.per_hour), _number(each.growth), allowed, each.line


def _number(value: float) -> str:
    """Three digits that say something."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
