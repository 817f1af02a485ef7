import os
import shutil
from pathlib import Path

import psycopg
import pytest

from deploy.local.errors import LocalServerError
from deploy.local.postgres import FOLDER, PACKAGE, find_programs
from deploy.local.privileges import Account, can_use, data_directory, has_private_directory, server_account
from deploy.local.servers import embedded_servers

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")


@pytest.fixture
def account() -> Account:
    account = server_account()
    assert account is not None
    return account


def test_data_within_reach_stays_in_the_state_directory(open_directory: Path) -> None:
    state_dir = open_directory / "state"
    with embedded_servers(state_dir, database_url="postgresql://elsewhere", broker_url=None):
        assert (state_dir / "redis" / "appendonly.aof").exists()

    assert not has_private_directory(state_dir)


def test_data_out_of_reach_goes_to_a_private_directory_and_is_found_again(
    open_directory: Path, account: Account
) -> None:
    closed = open_directory / "closed"
    closed.mkdir(mode=0o700)
    state_dir = closed / "state"
    state_dir.mkdir()

    first = data_directory(state_dir, "postgres", account)
    again = data_directory(state_dir, "postgres", account)

    try:
        assert first == again
        assert not first.is_relative_to(state_dir)
        assert can_use(first, account)
        assert first.stat().st_mode & 0o077 == 0
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(first.parent)


def test_a_directory_that_need_not_last_takes_its_private_one_with_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    state_dir = tmp_path / "state"
    with embedded_servers(state_dir, database_url="postgresql://elsewhere", broker_url=None, durable=False):
        private = Path((state_dir / "private-directory").read_text())
        assert (private / "redis").is_dir()

    assert not private.exists()
    assert not has_private_directory(state_dir)


def test_data_that_has_come_out_of_reach_is_not_replaced_by_empty_data(open_directory: Path, account: Account) -> None:
    state_dir = open_directory / "state"
    state_dir.mkdir()
    (data_directory(state_dir, "redis", account) / "appendonly.aof").write_text("data")
    state_dir.chmod(0o700)

    with pytest.raises(LocalServerError, match="make its parents traversable"):
        data_directory(state_dir, "redis", account)


def test_a_clone_in_a_closed_home_runs_on_copies(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = find_programs(open_directory, None).parents[1]
    closed = open_directory / "home"
    closed.mkdir(mode=0o700)
    for source in (installed, installed.with_name(f"{PACKAGE}.libs")):
        (closed / source.name).symlink_to(source)
    monkeypatch.syspath_prepend(closed)
    servers = embedded_servers(closed / "clone" / "state", database_url=None, broker_url="redis://none", durable=False)

    with servers as endpoints, psycopg.connect(endpoints.database_url.replace("+psycopg", "")) as connection:
        private = Path((closed / "clone" / "state" / "private-directory").read_text())
        assert (private / "programs" / PACKAGE / FOLDER / "bin" / "postgres").exists()
        assert (private / "postgres" / "cluster" / "postmaster.pid").exists()
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert closed.stat().st_mode & 0o777 == 0o700
    assert not private.exists()


def test_data_of_another_user_is_refused(open_directory: Path, account: Account) -> None:
    (open_directory / "redis").mkdir()
    os.chown(open_directory / "redis", account.uid - 1, account.gid)

    with pytest.raises(LocalServerError, match="belongs to user"):
        data_directory(open_directory, "redis", account)
