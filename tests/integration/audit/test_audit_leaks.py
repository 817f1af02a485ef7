"""The leak search on real servers: what is planted in Redis, in its file, in a table, in a log, on a page is found."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from deploy.audit.leaks import main
from deploy.local.cluster import SUPERUSER
from deploy.sandbox.process import start_sandbox


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """A few customers' secrets to look for, and not those of all other tests: files are long."""
    with start_sandbox(seed=5) as url:
        yield url


@pytest.fixture
def access(organization):
    return organization(users=3)


@pytest.fixture
def search(sandbox_url, capsys):
    def run(*options):
        status = main(["--sandbox", sandbox_url, "--json", *options])
        return status, {(leak["place"], leak["secret"]) for leak in json.loads(capsys.readouterr().out)}

    return run


@pytest.fixture
def person(sandbox, access):
    return next(iter(sandbox.export(access.name)["source"]["users"].values()))


def put_string(redis, value):
    redis.set("k", f"x {value}")


def put_list(redis, value):
    redis.rpush("k", "a", value)


def put_hash(redis, value):
    redis.hset("k", mapping={"a": value})


def put_zset(redis, value):
    redis.zadd("k", {value: 1})


def put_set(redis, value):
    redis.sadd("k", value)


def put_stream(redis, value):
    redis.xadd("k", {"a": value})


def put_key(redis, value):
    redis.set(value, 1)


@pytest.mark.parametrize("put", [put_string, put_list, put_hash, put_zset, put_set, put_stream, put_key])
def test_redis_is_searched_by_every_type(search, servers, redis, access, person, put):
    assert search("--redis", servers.broker_url) == (0, set())
    put(redis, access.crm_token)
    status, leaks = search("--redis", servers.broker_url)
    assert status == 1
    assert ("redis", "token") in leaks
    assert any(place.startswith("redis: ") and secret == "token" for place, secret in leaks)

    redis.flushdb()
    put(redis, person["email"])
    assert ("redis", "personal data") in search("--redis", servers.broker_url)[1]


def superuser(url):
    return make_url(url).set(username=SUPERUSER, drivername="postgresql").render_as_string(hide_password=False)


def test_the_files_of_the_database_are_searched_for_tokens_and_may_hold_people(search, servers, engine, access, person):
    url = superuser(servers.database_url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE planted (value text)")
        connection.execute("INSERT INTO planted VALUES (%s)", (person["email"],))
    assert search("--database", url) == (0, set())

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO planted VALUES (%s)", (access.volunteer_token,))
        connection.execute("DROP TABLE planted")
    status, leaks = search("--database", url)

    assert status == 1
    assert any("pg_wal" in place and secret == "token" for place, secret in leaks)


def test_logs_and_pages_are_searched_and_what_is_closed_is_told(search, tmp_path, access, person, sandbox_url):
    (tmp_path / "worker.log").write_text(f"cannot apply {person['last_name']}")
    assert search("--logs", str(tmp_path)) == (1, {(str(tmp_path / "worker.log"), "personal data")})

    page = f"{sandbox_url}/admin/organizations"
    assert search("--pages", page)[1] == {(page, "token"), (page, "personal data")}
    assert search("--pages", "http://127.0.0.1:9/")[1] == {("http://127.0.0.1:9/", "not searched: ConnectError")}
    assert search("--redis", "redis://127.0.0.1:9/0")[1] == {("redis", "not searched: ConnectionError")}


def test_every_place_that_was_asked_for_is_searched_or_told(search):
    """At a port where nobody answers."""
    nowhere = "127.0.0.1:9"
    status, leaks = search(
        "--logs", "/nowhere", "--redis", f"redis://{nowhere}/0", "--database", f"postgresql://{nowhere}/x",
        "--pages", f"http://{nowhere}/metrics", "--flower", f"http://{nowhere}",
    )  # fmt: skip

    told = {place for place, secret in leaks if secret.startswith("not searched")}
    assert status == 1
    assert told >= {"/nowhere", "redis", "database", f"http://{nowhere}/metrics", f"http://{nowhere}/api/workers"}
