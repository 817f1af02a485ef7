"""Real servers and real processes; conditions are polled with a deadline."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from deploy.local.privileges import forget_private_directory

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    """As root, pytest's own directories are out of the servers' reach: this covers the private directory too."""
    directory = tmp_path / "state"
    yield directory
    forget_private_directory(directory)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every account may pass through."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def eventually() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        polling = Retrying(
            retry=retry_if_result(lambda met: not met), stop=stop_after_delay(seconds), wait=wait_fixed(0.02)
        )
        polling(condition)

    return wait


@pytest.fixture
def descendants() -> Callable[[int], set[int]]:
    def find(root: int) -> set[int]:
        parents = {pid: parent for pid, parent, _ in process_table()}
        found = {root}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {root}

    return find


@pytest.fixture
def running() -> Callable[..., set[int]]:
    def among(pids: set[int]) -> set[int]:
        return {pid for pid, _, state in process_table() if pid in pids and not state.startswith("Z")}

    return among


@pytest.fixture
def run_script(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Runs Python text in a process of its own, and waits for its line "up"."""
    started: list[subprocess.Popen[str]] = []

    def run(text: str, *arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", text, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "up"
        return process

    yield run
    for process in started:
        process.terminate()
        process.communicate()


def process_table() -> list[tuple[int, int, str]]:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "stat="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listing.stdout.splitlines())
    return [(int(pid), int(parent), state) for pid, parent, state, *_ in rows]
