"""The demo, small: the same fleet, faults, kill, flush and audit as `make demo`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]


def test_a_small_demo_ends_with_pass_and_exit_code_0(tmp_path):
    command = [
        *(sys.executable, "-m", "deploy.demo", "--json", "--customers", "3", "--seconds", "8"),
        *("--state-dir", str(tmp_path / "demo")),
    ]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)

    assert outcome.returncode == 0, outcome.stderr[-3000:]
    report = json.loads(outcome.stdout)
    assert "PASS" in json.dumps(report)
