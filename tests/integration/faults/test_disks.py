"""A disk runs full under PostgreSQL, and space comes back: nothing is lost, nobody is blamed."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from redis import Redis
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from support.faults.disks import on_small_disk, small_postgres, why_not
from support.hub import Hub
from support.waiting import wait_until

from common.storage.engine import OUTAGES, make_engine
from common.storage.schema import upgrade

DISK_FULL = "53100"


@pytest.fixture
def small(tmp_path):
    """PostgreSQL on a small disk, with the fleet's tables."""
    if reason := why_not():
        pytest.skip(reason)
    with small_postgres(tmp_path) as running:
        yield running


@pytest.fixture
def full_engine(small):
    engine = make_engine(small.url, connections=4, name="test")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def small_hub(small, full_engine, servers, redis: Redis):
    built = Hub(engine=full_engine, servers=replace(servers, database_url=small.url), redis=redis)
    built.with_run_parts(outages=OUTAGES)
    built.with_slice_parts(outages=OUTAGES)
    yield built
    built.close()


def test_a_full_disk_is_the_databases_own_53100_and_passes_when_there_is_room(small, full_engine):
    small.disk.fill()
    assert small.disk.free_bytes == 0
    with pytest.raises(OperationalError) as refused, full_engine.begin() as connection:
        fill_a_table(connection)
    assert isinstance(refused.value.orig, psycopg.errors.DiskFull)
    assert refused.value.orig.sqlstate == DISK_FULL

    small.disk.free()
    assert small.disk.free_bytes > 10_000_000
    with full_engine.begin() as connection:
        fill_a_table(connection)


def test_a_hub_whose_database_runs_full_goes_on_when_there_is_room(small, small_hub, organization, sandbox, audited):
    access = organization(users=150)
    small_hub.onboard(access)
    small.disk.fill()
    with pytest.raises(OperationalError) as refused:
        small_hub.poll(access.name)
    assert refused.value.orig.sqlstate == DISK_FULL
    assert small_hub.customers.get(access.name).is_active

    small.disk.free()
    small_hub.poll(access.name)
    small.disk.fill()
    sandbox.create_user(access.name)
    deliver_until_full(small_hub, access.name)
    small.disk.free()

    wait_until(lambda: settle(small_hub, access.name), seconds=60, what="all applied")
    assert (audited().verdict, audited().total("destination")) == ("PASS", 151)
    assert small_hub.customers.get(access.name).is_active


def test_a_command_keeps_its_process_id_on_its_small_disk(tmp_path):
    command = on_small_disk(tmp_path, ["postgres", "-D", "here"], megabytes=7)
    assert command[0] == "unshare"
    assert (command[command.index("sh", 4) + 1], command[-3:]) == ("7m", ["postgres", "-D", "here"])


def fill_a_table(connection):
    connection.execute(text("CREATE TABLE heavy AS SELECT n, repeat('x', 1000) AS t FROM generate_series(1, 3000) n"))


def deliver_until_full(hub, name):
    try:
        hub.deliver_all(name)
    except OperationalError as refused:
        if refused.orig.sqlstate != DISK_FULL:
            raise


def settle(hub, name):
    hub.poll(name)
    hub.deliver_all(name)
    return hub.is_done(name)
