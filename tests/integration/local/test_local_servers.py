import os
import signal
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis

from deploy.local.endpoints import Endpoints, read_endpoints
from deploy.local.errors import LocalServerError
from deploy.local.ports import is_free, stable_port
from deploy.local.servers import embedded_servers


def database(endpoints: Endpoints) -> psycopg.Connection:
    return psycopg.connect(endpoints.database_url.replace("+psycopg", ""), autocommit=True)


def broker(endpoints: Endpoints) -> redis.Redis:
    return redis.Redis.from_url(endpoints.broker_url)


def owner(pid: int) -> int:
    shown = subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(shown.stdout)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def test_both_servers_answer_only_to_us_never_as_root_and_end_with_the_block(state_dir: Path, running) -> None:
    with embedded_servers(state_dir, database_url=None, broker_url=None, durable=False) as endpoints:
        with database(endpoints) as connection:
            settings = dict(
                connection.execute(
                    "SELECT name, setting FROM pg_settings "
                    "WHERE name IN ('TimeZone', 'server_encoding', 'listen_addresses', 'max_connections')"
                ).fetchall()
            )
            role = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        with broker(endpoints) as client:
            assert client.ping()
        pids = set(endpoints.pids.values()) - {os.getpid()}
        assert running(pids) == pids
        assert 0 not in {owner(pid) for pid in pids}
        port = port_of(endpoints.database_url)
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")
        assert read_endpoints(state_dir) == endpoints

    assert settings == {
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
        "max_connections": "200",
    }
    assert role == (False,)
    assert not running(pids)
    assert read_endpoints(state_dir) is None


def test_data_and_ports_survive_a_stop_and_a_start(state_dir: Path) -> None:
    with embedded_servers(state_dir, database_url=None, broker_url=None) as first:
        with database(first) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with broker(first) as client:
            client.set("kept", "42")

    with embedded_servers(state_dir, database_url=None, broker_url=None) as second:
        with database(second) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]
        with broker(second) as client:
            assert client.get("kept") == b"42"

    assert (second.database_url, second.broker_url) == (first.database_url, first.broker_url)


def test_a_second_start_on_the_same_directory_is_refused_in_one_line(state_dir: Path) -> None:
    elsewhere = {"database_url": "postgresql://elsewhere", "broker_url": "redis://elsewhere"}
    with embedded_servers(state_dir, **elsewhere):
        second = embedded_servers(state_dir, **elsewhere)
        with (
            pytest.raises(LocalServerError, match=rf"already running on .* \(process {os.getpid()}\)") as refusal,
            second,
        ):
            pass
        assert "\n" not in str(refusal.value)
        assert read_endpoints(state_dir) is not None


def test_a_given_url_is_used_and_its_server_not_started(state_dir: Path) -> None:
    with embedded_servers(state_dir, database_url="postgresql://elsewhere", broker_url=None) as endpoints:
        assert endpoints.database_url == "postgresql://elsewhere"
        assert set(endpoints.pids) == {"fleet", "redis"}


def test_a_port_taken_by_another_is_given_up(state_dir: Path) -> None:
    state_dir.mkdir()
    usual = stable_port(state_dir, "redis")
    servers = embedded_servers(state_dir, database_url="postgresql://elsewhere", broker_url=None)

    with socket.create_server(("127.0.0.1", usual)), servers as endpoints, broker(endpoints) as client:
        assert port_of(endpoints.broker_url) != usual
        assert client.ping()

    assert is_free(usual)


def test_killed_servers_come_back_with_their_data_on_the_same_ports(state_dir: Path, eventually) -> None:
    with embedded_servers(state_dir, database_url=None, broker_url=None) as endpoints:
        with database(endpoints) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        for name in ("postgres", "redis"):
            os.kill(endpoints.pids[name], signal.SIGKILL)

        def all_back() -> bool:
            try:
                with database(endpoints) as connection, broker(endpoints) as client:
                    return bool(client.ping()) and connection.execute("SELECT answer FROM kept").fetchone() == (42,)
            except (psycopg.Error, redis.RedisError):
                return False

        eventually(all_back, seconds=15)

        def recorded() -> bool:
            now = read_endpoints(state_dir)
            return now is not None and all(now.pids[name] != endpoints.pids[name] for name in ("postgres", "redis"))

        eventually(recorded)


def test_a_creation_that_was_cut_short_is_begun_anew(open_directory: Path) -> None:
    draft = open_directory / "postgres" / "draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    servers = embedded_servers(open_directory, database_url=None, broker_url="redis://elsewhere", durable=False)

    with servers as endpoints, database(endpoints) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
