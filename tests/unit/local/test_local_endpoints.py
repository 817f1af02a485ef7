import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.endpoints import (
    ENDPOINTS_FILE,
    Endpoints,
    read_endpoints,
    record_pids,
    remove_endpoints,
    write_endpoints,
)


def endpoints(holder: int) -> Endpoints:
    return Endpoints(
        database_url="postgresql+psycopg://syncfleet:secret@127.0.0.1:5400/syncfleet",
        broker_url="redis://127.0.0.1:6400/0",
        pids={"fleet": holder, "redis": 7},
        started_at=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        flower_url="http://127.0.0.1:5555",
        metrics={"poller1": "http://127.0.0.1:9100/metrics"},
    )


def pid_of_an_ended_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_what_is_written_is_read_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    write_endpoints(tmp_path, endpoints(os.getpid()))

    assert read_endpoints(tmp_path) == endpoints(os.getpid())
    assert [file.name for file in tmp_path.iterdir()] == [ENDPOINTS_FILE]
    assert (tmp_path / ENDPOINTS_FILE).stat().st_mode & 0o777 == 0o600


def test_the_word_of_a_fleet_that_was_killed_is_not_taken(tmp_path: Path) -> None:
    write_endpoints(tmp_path, endpoints(pid_of_an_ended_process()))

    assert read_endpoints(tmp_path) is None


def test_nothing_is_read_where_nothing_runs(tmp_path: Path) -> None:
    assert read_endpoints(tmp_path) is None

    write_endpoints(tmp_path, endpoints(os.getpid()))
    remove_endpoints(tmp_path)
    remove_endpoints(tmp_path)

    assert read_endpoints(tmp_path) is None


def test_a_restart_changes_one_process_id(tmp_path: Path) -> None:
    write_endpoints(tmp_path, endpoints(os.getpid()))

    record_pids(tmp_path, {"redis": 8, "beat": 9})

    found = read_endpoints(tmp_path)
    assert found is not None
    assert found.pids == {"fleet": os.getpid(), "redis": 8, "beat": 9}


def test_no_password_shows_when_endpoints_are_printed() -> None:
    assert "secret" not in repr(endpoints(1))
