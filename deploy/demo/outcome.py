"""What is printed at the end: the audit, the findings, and a last line that says it all."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from deploy.audit.render import show, summary
from deploy.audit.report import Report
from deploy.demo.story import Figures


def passed(report: Report, figures: Figures) -> bool:
    """A fleet that still writes has proved nothing, however well it stands at the moment."""
    return report.passed and figures.at_rest


def print_outcome(report: Report, figures: Figures, *, console: Console, state_dir: Path) -> None:
    """For a person."""
    show(report, console)
    logs = "" if passed(report, figures) else f"; the logs are in {state_dir / 'logs'}"
    console.print(last_line(report, figures) + logs, markup=False, highlight=False, soft_wrap=True)


def print_json(report: Report, figures: Figures, *, state_dir: Path) -> None:
    """For a program: one object, alone on stdout."""
    verdict = "PASS" if passed(report, figures) else "FAIL"
    content = {**report.to_json(), "verdict": verdict, "demo": asdict(figures), "logs": str(state_dir / "logs")}
    sys.stdout.write(json.dumps(content) + "\n")


def last_line(report: Report, figures: Figures) -> str:
    disturbances = f"{sum(figures.faults.values())} faults, {figures.kills} kill, {figures.flushes} flush"
    unrest = "" if figures.at_rest else "FAIL the fleet did not come to rest; its audit at that moment: "
    return f"{unrest}{summary(report)}, {disturbances}, {figures.elapsed_seconds:.0f} s in all"
