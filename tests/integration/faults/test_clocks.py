"""A process's clock is stepped while it runs: all of its wall clocks, and none of its monotonic ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from support.faults.clocks import Clocks, python_path

from deploy.local.child import ProcessSpec

#: Seconds within which a process tells its time, on a machine that is busy.
NEAR = 10
WALLS = ("product", "datetime", "time", "realtime")


@pytest.fixture
def clocks(tmp_path):
    return Clocks(tmp_path)


@pytest.fixture
def start(clocks, tmp_path):
    """A process that tells its clocks."""
    started = []

    def begin():
        spec = ProcessSpec(
            name="teller",
            argv=[sys.executable, "-m", "support.faults.telling"],
            env=dict(os.environ),
            log_path=tmp_path / "log",
        )
        prepared = clocks.prepare(spec)
        started.append(
            subprocess.Popen(
                prepared.argv, env=prepared.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        )
        return lambda: ask(started[-1])

    yield begin
    for process in started:
        process.communicate()


def ask(process):
    process.stdin.write("\n")
    return json.loads(process.stdout.readline())


def test_every_wall_clock_of_the_process_steps_and_elapsed_time_does_not(clocks, start):
    tell = start()
    for step, ahead in ((3600, 3600), (-7200, -3600), (3630, 30), (-60, -30)):
        clocks.step("teller", step)
        told = tell()
        for wall in WALLS:
            assert told[wall] - time.time() == pytest.approx(ahead, abs=NEAR), wall
        assert told["monotonic"] == pytest.approx(time.monotonic(), abs=NEAR)


def test_a_process_that_is_started_again_lives_in_the_stepped_time(clocks, start):
    tell = start()
    tell()
    clocks.step("teller", -3600)

    assert start()()["product"] - time.time() == pytest.approx(-3600, abs=NEAR)


def test_only_a_python_module_can_be_stepped(clocks):
    with pytest.raises(ValueError, match="postgres"):
        clocks.argv("postgres", ["postgres", "-D", "data"])


def test_the_process_finds_its_entry_point(tmp_path):
    spec = ProcessSpec(name="x", argv=[], env={"PYTHONPATH": "/theirs"}, log_path=tmp_path)
    assert python_path(spec).split(os.pathsep)[-2:] == [os.path.realpath("tests"), "/theirs"]
