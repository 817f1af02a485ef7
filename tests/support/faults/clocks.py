"""Clocks of a fleet's processes, stepped forwards and backwards while they run; `stepped` says what steps."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local.child import ProcessSpec
from support.faults.stepped import offset_in, seen_by
from support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
#: Seconds for a process to have started, or to have taken over a step, on a machine that is busy.
STEP_SECONDS = 60


@dataclass(frozen=True)
class Clocks:
    """One for each process, by its name; the files are in a directory of the test."""

    directory: Path

    def prepare(self, spec: ProcessSpec) -> ProcessSpec:
        """The same process with a clock that can be stepped; a later life begins with the steps so far."""
        return replace(spec, argv=self.argv(spec.name, spec.argv), env={**spec.env, "PYTHONPATH": python_path(spec)})

    def argv(self, name: str, argv: Sequence[str]) -> list[str]:
        """Of `python -m module ...`. Raises ValueError for any other command."""
        python, option, *rest = argv
        if (python, option) != (sys.executable, "-m"):
            raise ValueError(f"only a Python module's clock can be stepped, not that of {python} {option}")
        return [python, "-m", "support.faults.stepped", str(self._file(name)), *rest]

    def step(self, name: str, seconds: float) -> None:
        """Forwards, or backwards if negative, from where it is now; returns when the process lives in that time."""
        file = self._file(name)
        wanted = offset_in(file) + seconds
        draft = file.with_suffix(".draft")
        draft.write_text(str(wanted))
        draft.replace(file)
        wait_until(lambda: _seen(file) == wanted, seconds=STEP_SECONDS, what=f"the clock of {name} to be stepped")

    def _file(self, name: str) -> Path:
        return self.directory / f"clock-{name}"


def _seen(file: Path) -> float | None:
    seen = seen_by(file)
    return float(seen.read_text() or "nan") if seen.exists() else None


def python_path(spec: ProcessSpec) -> str:
    """So that the process finds us."""
    return os.pathsep.join([str(ROOT), str(ROOT / "tests"), *filter(None, [spec.env.get("PYTHONPATH")])])
