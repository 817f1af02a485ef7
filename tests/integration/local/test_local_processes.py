import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.child import ProcessSpec
from deploy.local.errors import LocalServerError
from deploy.local.processes import Supervisor

#: Says its name in the file when asked to stop.
POLITE = 'trap "echo $2 >> $1; exit 0" TERM; echo up; while :; do sleep 0.05; done'
#: Ignores being asked, and so does its own child.
STUBBORN = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); signal.pause()"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(lines: list[str]) -> Supervisor:
    return Supervisor(announce=lines.append)


@pytest.fixture
def make_spec(tmp_path: Path) -> Callable[..., ProcessSpec]:
    def make(name: str, *argv: str, **options) -> ProcessSpec:
        return ProcessSpec(name=name, argv=argv, env=dict(os.environ), log_path=tmp_path / f"{name}.log", **options)

    return make


def has_said_up(tmp_path: Path, name: str) -> Callable[[], bool]:
    return lambda: "up" in (tmp_path / f"{name}.log").read_text()


def test_processes_stop_in_the_reverse_order_of_their_start(supervisor, make_spec, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    with supervisor:
        for name in ("one", "two", "three"):
            script = ("/bin/sh", "-c", POLITE, "sh", str(ends), name)
            supervisor.start(make_spec(name, *script, ready=has_said_up(tmp_path, name)))

    assert ends.read_text().split() == ["three", "two", "one"]


def test_a_killed_process_is_back_within_two_seconds(supervisor, make_spec, lines, eventually, running) -> None:
    with supervisor:
        supervisor.start(make_spec("worker", "/bin/sleep", "60"))
        first = supervisor.pids()["worker"]
        killed_at = time.monotonic()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pids()["worker"] != first)
        assert time.monotonic() - killed_at < 2
        assert running({supervisor.pids()["worker"]})

    assert lines == [line for line in lines if line.startswith("worker ended with exit code 137; starting it again")]
    assert len(lines) == 1


def test_what_a_killed_process_leaves_behind_is_swept(supervisor, make_spec, eventually, running, descendants) -> None:
    with supervisor:
        supervisor.start(make_spec("worker", sys.executable, "-c", STUBBORN, grace_seconds=0.2))
        pid = supervisor.pids()["worker"]
        eventually(lambda: len(descendants(pid)) == 1)
        left = descendants(pid)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not running(left))


def test_a_process_whose_guard_is_killed_is_replaced(supervisor, make_spec, eventually, running, descendants) -> None:
    with supervisor:
        supervisor.start(make_spec("worker", "/bin/sleep", "60"))
        worker = supervisor.pids()["worker"]
        (guard,) = {pid for pid in descendants(os.getpid()) if worker in descendants(pid)}
        os.kill(guard, signal.SIGKILL)
        eventually(lambda: supervisor.pids()["worker"] != worker)
        assert not running({worker})


def test_a_process_that_will_not_stop_is_killed_with_its_children(supervisor, make_spec, descendants, running) -> None:
    others = descendants(os.getpid())  # the servers that the test session shares
    with supervisor:
        supervisor.start(make_spec("stubborn", sys.executable, "-c", STUBBORN, grace_seconds=0.2))
        ours = descendants(os.getpid()) - others
        assert ours
    assert not running(ours)


def test_a_process_outlives_the_thread_that_started_it(supervisor, make_spec, running) -> None:
    with supervisor:
        starter = threading.Thread(target=supervisor.start, args=[make_spec("worker", "/bin/sleep", "60")])
        starter.start()
        starter.join()
        supervisor.start(make_spec("later", "/bin/sleep", "60"))
        assert running(set(supervisor.pids().values())) == set(supervisor.pids().values())


def test_a_failed_start_is_one_line_with_the_end_of_the_log(supervisor, make_spec, tmp_path: Path) -> None:
    with supervisor, pytest.raises(LocalServerError) as failure:
        supervisor.start(make_spec("broken", "/bin/sh", "-c", "echo cannot find the way; exit 3", ready=lambda: False))

    assert str(failure.value) == (
        f"broken ended with exit code 3 before it was ready; {tmp_path}/broken.log ends with: cannot find the way"
    )


def test_a_program_that_does_not_exist_is_one_line(supervisor, make_spec) -> None:
    with supervisor, pytest.raises(LocalServerError, match=r"absent did not start .* No such file or directory"):
        supervisor.start(make_spec("absent", "/no/such/program"))


def test_the_end_of_a_process_that_is_not_restarted_ends_the_wait(supervisor, make_spec) -> None:
    with supervisor:
        supervisor.start(make_spec("once", "/bin/sh", "-c", "echo done; exit 4", restart=False))
        with pytest.raises(LocalServerError, match=r"once ended with exit code 4; .* ends with: done"):
            supervisor.wait()


def test_a_process_that_fails_again_and_again_is_restarted_ever_more_slowly(
    supervisor, make_spec, lines, eventually
) -> None:
    with supervisor:
        supervisor.start(make_spec("broken", "/bin/sh", "-c", "exit 1"))
        eventually(lambda: len(lines) == 2)

    assert [line.partition("again in ")[2].split()[0] for line in lines] == ["1", "2"]


WITH_STUBBORN = f"""
import os, sys
from pathlib import Path
from deploy.local.child import ProcessSpec
from deploy.local.processes import Supervisor
from deploy.local.servers import embedded_servers
from deploy.local.signals import stop_on_signals

state, database_url = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
with (
    stop_on_signals(),
    embedded_servers(state, database_url=database_url, broker_url=None) as endpoints,
    Supervisor() as supervisor,
):
    supervisor.start(
        ProcessSpec(
            name="stubborn",
            argv=[sys.executable, "-c", {STUBBORN!r}],
            env=dict(os.environ),
            log_path=state / "stubborn.log",
            grace_seconds=0.5,
        )
    )
    print("up", flush=True)
    supervisor.wait()
"""


def test_nothing_is_left_behind_when_the_fleet_is_killed(
    state_dir: Path, run_script, descendants, running, eventually
) -> None:
    fleet = run_script(WITH_STUBBORN, state_dir)
    eventually(lambda: len(descendants(fleet.pid)) >= 10)
    whole = descendants(fleet.pid)

    fleet.kill()
    fleet.wait()

    eventually(lambda: not running(whole), seconds=15)


SERVERS_ALONE = """
import sys
from pathlib import Path
from threading import Event
from deploy.local.servers import embedded_servers

with embedded_servers(Path(sys.argv[1]), database_url=None, broker_url=None):
    print("up", flush=True)
    Event().wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process outlives a killed guard")
def test_servers_end_also_when_the_fleet_and_the_guards_are_killed_together(
    state_dir: Path, run_script, descendants, running, eventually
) -> None:
    fleet = run_script(SERVERS_ALONE, state_dir)
    whole = descendants(fleet.pid)
    guards = {pid for pid in whole if "guard.py" in arguments_of(pid)}
    assert len(guards) == 2

    for pid in (fleet.pid, *guards):
        os.kill(pid, signal.SIGKILL)
    fleet.wait()

    eventually(lambda: not running(whole))


def test_a_killed_fleet_can_be_started_again_at_once(state_dir: Path, run_script, descendants, running) -> None:
    first = run_script(WITH_STUBBORN, state_dir)
    servers = {pid for pid in descendants(first.pid) if is_server(pid)}
    assert servers
    first.kill()
    first.wait()

    run_script(WITH_STUBBORN, state_dir)

    assert not running(servers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_in_order(state_dir: Path, run_script, descendants, running, number) -> None:
    fleet = run_script(WITH_STUBBORN, state_dir, "postgresql://elsewhere")
    whole = descendants(fleet.pid)

    fleet.send_signal(number)

    assert fleet.wait(timeout=15) == 0
    assert not running(whole)
    assert not (state_dir / "endpoints.json").exists()


def is_server(pid: int) -> bool:
    return any(name in arguments_of(pid) for name in ("postgres", "redis"))


def arguments_of(pid: int) -> str:
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
