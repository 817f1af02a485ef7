"""`fleet up` as an operator runs it: a process of its own, on servers of its own."""

import json
import os
import signal
import subprocess
import sys

import pytest
from support.waiting import wait_until

from common.config.settings import running_fleet
from deploy.local.privileges import forget_private_directory

pytestmark = [pytest.mark.slow, pytest.mark.alone]

#: For a whole fleet to start on a busy machine.
START_SECONDS = 90
#: For two backfills.
LEVEL_SECONDS = 150


@pytest.fixture
def state_dir(tmp_path):
    yield tmp_path / "state"
    forget_private_directory(tmp_path / "state")


@pytest.fixture
def environment(state_dir):
    return {**os.environ, "FLEET_STATE_DIR": str(state_dir)}


@pytest.fixture
def start(environment):
    """Start a fleet; gives the process and what it says when it is up."""
    started = []

    def up(*options):
        command = [sys.executable, "-c", "from common.cli.main import main; main()", "up", "--json", *options]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        line = process.stdout.readline()
        assert line, f"exit code {process.wait()}"
        return process, json.loads(line)

    yield up
    for process in started:
        process.terminate()
        process.communicate(timeout=START_SECONDS)


@pytest.fixture
def fleet(environment):
    def call(*arguments):
        command = [sys.executable, "-c", "from common.cli.main import main; main()", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return call


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(240)
def test_a_fleet_with_a_sandbox_syncs_its_customers_passes_the_audit_and_leaves_nothing_behind(start, fleet, state_dir):
    process, up = start("--sandbox", "--customers", "2", "--no-flower", "--processors", "1")

    assert len(up["customers"]) == 2
    wait_until(lambda: fleet("audit", "--json").returncode == 0, seconds=LEVEL_SECONDS, what="the audit to pass")
    assert json.loads(fleet("status", "--json").stdout)["totals"]["active"] == 2

    process.send_signal(signal.SIGINT)

    assert process.wait(START_SECONDS) == 0
    assert not running_fleet(state_dir)
    assert not any(is_alive(pid) for name, pid in up["pids"].items())
    assert "no fleet is running" in fleet("status").stderr


@pytest.mark.timeout(240)
def test_a_killed_fleet_counts_as_none_and_its_sandbox_customers_are_retired_at_the_next_start(start, fleet):
    first, before = start("--sandbox", "--customers", "1", "--no-flower", "--processors", "1")

    second = fleet("up")
    first.kill()
    first.wait()

    assert second.returncode == 1
    assert "a fleet is already running" in second.stderr
    assert "no fleet is running" in fleet("status").stderr

    _, after = start("--sandbox", "--customers", "1", "--no-flower", "--processors", "1")

    states = {row["customer_id"]: row["state"] for row in json.loads(fleet("status", "--json").stdout)["customers"]}
    assert states == {before["customers"][0]: "paused", after["customers"][0]: "active"}
