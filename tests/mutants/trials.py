"""Tests run in a copy, in a process of their own, and what they said."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from mutants.copies import Copy

#: Of one test: what a bug makes hang is caught, and should not take long. The listed ones take seconds.
TEST_SECONDS = 120
#: Of one trial: the largest folder, integration, takes ten minutes on a quiet machine.
TRIAL_SECONDS = 2700.0
#: Between looks at whether a trial is still wanted.
LOOK_SECONDS = 1.0
#: For fixtures to stop their servers once a trial has been interrupted.
STOPPING_SECONDS = 30.0
#: pytest's exit codes for "all passed" and "some failed"; any other means that nothing was found out.
PASSED, FAILED = 0, 1
#: Of a bug that was written badly: it would fail any test that so much as comes by.
NO_BUG = re.compile(r"\b(NameError|UnboundLocalError|ImportError|ModuleNotFoundError|SyntaxError|IndentationError)\b")
#: Characters of an error that fit a line.
SAID_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A test that failed."""

    #: Node id, with its parameters.
    test: str
    said: str
    #: It could not even be collected or imported, or the bug is none.
    is_broken: bool


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of some tests."""

    failures: tuple[Failure, ...] = ()
    #: Why nothing was found out; empty: something was.
    why_void: str = ""


def try_tests(copy: Copy, tests: Sequence[str], *, to_the_end: bool = False, without: Sequence[str] = ()) -> Trial:
    """Stops at the first failure, unless `to_the_end`; `without` these node ids."""
    with tempfile.TemporaryDirectory(prefix="mutants-report-") as place:
        report = Path(place) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", f"--timeout={TEST_SECONDS}",
            "-o", "junit_family=xunit1", f"--junitxml={report}", *([] if to_the_end else ["-x"]),
            *(f"--deselect={test}" for test in without), *tests,
        ]  # fmt: skip
        code, printed = _run(copy, command)
        if code not in (PASSED, FAILED) or not report.exists():
            return Trial(why_void=f"pytest ended with {code}: {_last_line(printed)}")
        return Trial(failures=read_report(report.read_text()))


def _run(copy: Copy, command: Sequence[str]) -> tuple[int | None, str]:
    """Exit code and output; None and what there was if it took too long, or is not wanted any more."""
    process = subprocess.Popen(
        command, cwd=copy.path, env=copy.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + TRIAL_SECONDS
    while time.monotonic() < deadline and not copy.is_given_up.is_set():
        try:
            printed, _ = process.communicate(timeout=LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return process.returncode, printed
    return None, _stop(process)


def _stop(process: subprocess.Popen[str]) -> str:
    """Softly, so that servers of its fixtures stop with it."""
    process.send_signal(signal.SIGINT)
    try:
        printed, _ = process.communicate(timeout=STOPPING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, _ = process.communicate()
    return printed


def read_report(xml: str) -> tuple[Failure, ...]:
    """Failures of a JUnit report of the family `xunit1`, in the order in which they happened."""
    cases = ET.fromstring(xml).iter("testcase")
    return tuple(_failure(case, bad) for case in cases for bad in case if bad.tag in ("failure", "error"))


def _failure(case: ET.Element, bad: ET.Element) -> Failure:
    said = (bad.get("message") or "").strip()
    test = f"{case.get('file')}::{case.get('name')}" if case.get("file") else str(case.get("name"))
    is_broken = said.startswith("collection failure") or NO_BUG.search(said) is not None
    return Failure(test=test, said=" ".join(said.split())[:SAID_CHARACTERS], is_broken=is_broken)


def _last_line(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it printed nothing"
