"""The sandbox as a child process that always ends with the test that started it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 5


@contextmanager
def start_sandbox(*, seed: int, port: int = 0) -> Iterator[str]:
    """Yields the URL of a fresh sandbox; port 0 takes a free one."""
    command = [sys.executable, "-m", "deploy.sandbox", "--seed", str(seed), "--port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield _announced(process)
        finally:
            _stop(process)


def _announced(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"the sandbox ended with {process.wait()} before it listened")
    url: str = json.loads(line)["url"]
    return url


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
