from pathlib import Path

from deploy.local.cluster import read_password
from deploy.local.postgres import postgres_argv, postgres_url


def settings_of(*, durable: bool) -> dict[str, str]:
    argv = postgres_argv(programs=Path("/bin"), cluster=Path("/data"), port=5400, durable=durable)
    return dict(word.split("=", 1) for word in argv if "=" in word)


def test_postgres_keeps_its_promises_unless_told_that_nothing_need_last() -> None:
    assert settings_of(durable=True)["fsync"] == "on"
    assert settings_of(durable=True)["synchronous_commit"] == "on"
    assert settings_of(durable=False)["fsync"] == "off"


def test_postgres_listens_on_loopback_only() -> None:
    assert settings_of(durable=True)["listen_addresses"] == "127.0.0.1"
    assert settings_of(durable=True)["unix_socket_directories"] == ""


def test_the_password_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    password = read_password(tmp_path)

    assert read_password(tmp_path) == password
    assert (tmp_path / "postgres.password").stat().st_mode & 0o777 == 0o600
    assert postgres_url(5400, password) == f"postgresql+psycopg://syncfleet:{password}@127.0.0.1:5400/syncfleet"
