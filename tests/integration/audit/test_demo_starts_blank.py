"""What a demonstration wipes, and what it leaves alone."""

import psycopg
import pytest
from redis import Redis

from common.cli.failures import CommandFailed
from deploy.demo.blank import ensure_blank, forget_everything
from deploy.local.errors import LocalServerError
from deploy.local.servers import embedded_servers


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    state_dir = tmp_path_factory.mktemp("demo")
    with embedded_servers(state_dir, database_url=None, broker_url=None, durable=False) as endpoints:
        yield endpoints


@pytest.fixture
def used(servers):
    """A table and a key from before."""
    ensure_blank(environment(servers), own_database=True, own_broker=True)
    sql(servers, "CREATE TABLE precious (id int)")
    with Redis.from_url(servers.broker_url) as redis:
        redis.set("precious", 1)
    return servers


def environment(servers, **others):
    return {"FLEET_DATABASE_URL": servers.database_url, "FLEET_BROKER_URL": servers.broker_url, **others}


def sql(servers, statement):
    with psycopg.connect(servers.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(statement)


def keys(servers):
    with Redis.from_url(servers.broker_url) as redis:
        return redis.dbsize()


def tables(servers):
    with psycopg.connect(servers.database_url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()[0]


def test_servers_of_its_own_are_wiped(used):
    ensure_blank(environment(used), own_database=True, own_broker=True)

    assert (tables(used), keys(used)) == (0, 0)


@pytest.mark.parametrize("given", ["own_database", "own_broker"])
def test_a_server_that_was_given_and_holds_something_is_refused_and_left_alone(used, given):
    owned = {"own_database": False, "own_broker": False}
    name = "FLEET_DATABASE_URL" if given == "own_database" else "FLEET_BROKER_URL"
    if given == "own_broker":
        sql(used, "DROP TABLE precious")

    with pytest.raises(LocalServerError, match=f"{name} is not empty"):
        ensure_blank(environment(used), **owned)

    assert keys(used) == 1


def test_empty_servers_that_were_given_will_do(servers):
    ensure_blank(environment(servers), own_database=True, own_broker=True)

    ensure_blank(environment(servers), own_database=False, own_broker=False)


def test_redis_forgets_everything(used):
    forget_everything(used.broker_url, own_broker=False)

    assert keys(used) == 0


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("FLEET_DATABASE_URL", "postgresql+psycopg://u@127.0.0.1:9/x"),
        ("FLEET_BROKER_URL", "redis://127.0.0.1:9/0"),
        ("FLEET_BROKER_URL", "nonsense"),
    ],
)
def test_a_server_that_is_not_there_is_one_line(servers, name, url):
    ensure_blank(environment(servers), own_database=True, own_broker=True)

    with pytest.raises(CommandFailed) as refused:
        ensure_blank(environment(servers, **{name: url}), own_database=False, own_broker=False)

    assert len(refused.value.lines) == 1
