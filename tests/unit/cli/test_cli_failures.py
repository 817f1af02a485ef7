import pytest
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from common.cli.failures import CommandFailed, is_broker_failure, lines_of, servers_named
from common.config.settings import Settings
from common.domain.errors import CustomerInvalid

DATABASE = "postgresql+psycopg://fleet:hunter2@db.example.org:6543/fleet"
BROKER = "redis://:hunter2@queue.example.org/0"


@pytest.fixture
def settings():
    return Settings(database_url=SecretStr(DATABASE), broker_url=SecretStr(BROKER))


def failed(settings, error):
    with pytest.raises(CommandFailed) as caught, servers_named(settings):
        raise error
    return caught.value.lines[0]


def test_an_unreachable_database_is_named_by_host_and_port_alone(settings):
    original = Exception('connection failed: connection to server at "1.2.3.4", port 6543 failed: Connection refused')

    line = failed(settings, OperationalError("SELECT 1", {}, original))

    assert line == "cannot reach PostgreSQL at db.example.org:6543: Connection refused"


def test_an_unreachable_redis_is_named_by_host_and_port_alone(settings):
    line = failed(settings, RedisConnectionError(f"Error connecting to {BROKER}"))

    assert line == "cannot reach Redis at queue.example.org:6379: is it running?"


def test_an_error_that_wraps_one_of_redis_is_one_of_redis():
    wrapped = RuntimeError("publishing failed")
    wrapped.__cause__ = RedisConnectionError("no")

    assert is_broker_failure(wrapped)
    assert not is_broker_failure(RuntimeError("something else"))


def test_a_database_url_that_is_none_is_named_by_its_setting(settings):
    with pytest.raises(CommandFailed, match="FLEET_DATABASE_URL is not a database URL"), servers_named(settings):
        create_engine("nonsense")


def test_an_error_of_ours_is_its_own_line():
    assert lines_of(CustomerInvalid("acme", "tier", "is wrong")) == ["customer 'acme': tier: is wrong"]


def test_a_defect_tells_its_type_and_never_its_text():
    (line,) = lines_of(ValueError("token-123"))

    assert line.startswith("ValueError: this is a defect of ours")
    assert "token-123" not in line


def test_passwords_and_tokens_are_removed_and_lines_joined():
    (line,) = lines_of(CommandFailed(f"a\nb {BROKER} Bearer abc"))

    assert line == "a b redis://:[removed]@queue.example.org/0 Bearer [removed]"
