"""Start the reader for one measurement, and take its answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.fleet.printing import progress
from benchmarks.fleet.stage import ROOT, Stage

MEBIBYTE = 1024 * 1024
#: Promised by issue 5, point 7.
PEAK_MEBIBYTES = 250
#: Nobody applies what is detected here, so that a full backlog must not stop the reading; and scans follow at once.
SETTINGS: Mapping[str, str] = {
    "FLEET_BACKFILL_BACKLOG_LIMIT": "10000000",
    "FLEET_POLL_BACKLOG_LIMIT": "10000000",
    "FLEET_ABSENCE_SECONDS": "0",
    "FLEET_VOLUNTEER_REQUESTS_PER_MINUTE": "1000000",
    "FLEET_LOG_LEVEL": "ERROR",
}


def read(
    stage: Stage, what: str, work: Mapping[str, Any], *, module: str = "benchmarks.layers.reader"
) -> dict[str, Any]:
    """Raises RuntimeError with the reader's last line if it fails."""
    progress(what)
    command = [sys.executable, "-m", module, json.dumps(work)]
    done = subprocess.run(
        command, env=stage.environment(SETTINGS), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{what}: {done.stderr.strip().splitlines()[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
