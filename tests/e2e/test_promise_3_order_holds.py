"""Promise 3: two writes for one entity never overlap, and an older version never lands after a newer one."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing, contextmanager

import pytest
from sqlalchemy import update
from support.breaking import ForgetsTheLedger, NoLocks
from support.hub import Hub
from support.waiting import wait_until

from common.storage.tables import dead_letters, events

pytestmark = pytest.mark.slow

#: Long enough that a second worker, if it were let in, would be seen to write at the same time.
SLOW = {"system": "crm", "kind": "latency", "seconds": 0.15, "rate": 1.0}
ROUNDS = 6


def test_workers_that_race_for_a_hot_record_write_it_in_order(hub, organization, sandbox, audited):
    name = race(hub, organization, sandbox)

    wait_until(lambda: settled(hub, name), seconds=60, what="all applied")
    report = audited()
    assert report.findings == ()
    assert report.total("changes") >= ROUNDS


def test_without_the_partition_lock_writes_overlap(hub, organization, sandbox, audited):
    """Broken on purpose: every worker gets every lock, and the index that allows one unresolved write is gone too."""
    with without_the_index(hub):
        race(hub, organization, sandbox, broken=lambda worker: worker.with_slice_parts(locks=NoLocks()))

    assert audited().total("order_breaks") > 0


def test_a_replayed_older_version_does_not_land_after_a_newer_one(hub, organization, sandbox, audited):
    name = replay_an_older_version(hub, organization, sandbox)

    assert hub.states(name) == {"applied": 1, "superseded": 1}
    assert audited().findings == ()


def test_without_the_ledger_a_replayed_older_version_does_land(hub, organization, sandbox, audited):
    """Broken on purpose: the store knows of no link, so nothing says that a newer version was applied."""
    store = ForgetsTheLedger(hub.slice_parts.store)
    name = replay_an_older_version(hub, organization, sandbox, store=store)

    assert not audited().passed, name


@contextmanager
def without_the_index(hub: Hub):
    drop = "DROP INDEX ix_writes_unresolved"
    make = (
        "CREATE UNIQUE INDEX ix_writes_unresolved ON writes (customer_id, resource, source_id)"
        " WHERE state IN ('open', 'unknown', 'submitted')"
    )
    with hub.engine.begin() as connection:
        connection.exec_driver_sql(drop)
    try:
        yield
    finally:
        with hub.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM writes")
            connection.exec_driver_sql(make)


def race(hub: Hub, organization, sandbox, broken=lambda worker: None) -> str:
    """Four workers on one customer with one record that changes all the time."""
    access = organization(users=1)
    hub.onboard(access)
    wait_until(lambda: hub.poll(access.name) and settled(hub, access.name), seconds=20, what="the first contact")
    user_id = int(next(iter(sandbox.export(access.name)["source"]["users"])))
    sandbox.add_faults(SLOW)
    over = threading.Event()
    with ExitStack() as stack:
        workers = [
            stack.enter_context(closing(Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=n)))
            for n in range(2, 6)
        ]
        threads = [threading.Thread(target=deliver_until, args=(worker, access.name, over)) for worker in workers]
        for worker, thread in zip(workers, threads, strict=True):
            broken(worker)
            thread.start()
        try:
            for number in range(ROUNDS):
                sandbox.change_user(access.name, user_id, phone=f"555-010{number}", last_name=f"Changed{number}")
                states = hub.states(access.name).get("applied", 0)
                hub.poll(access.name)
                wait_until(
                    lambda states=states: hub.states(access.name).get("applied", 0) > states,
                    seconds=20,
                    what="the change",
                )
        finally:
            over.set()
            for thread in threads:
                thread.join()
    return access.name


def deliver_until(worker: Hub, name: str, over: threading.Event) -> None:
    while not over.is_set():
        worker.deliver(name)


def settled(hub: Hub, name: str) -> bool:
    hub.deliver_all(name)
    return hub.is_done(name)


def replay_an_older_version(hub: Hub, organization, sandbox, store=None) -> str:
    """Version 1 is dead-lettered; version 2 is applied; version 1 is replayed by hand."""
    access = organization(users=1)
    hub.onboard(access, create="direct")
    refuse = {"system": "crm", "route": "/api/Contact", "method": "POST", "kind": "error", "status": 422, "rate": 1.0}
    sandbox.add_faults(refuse)
    user_id = int(next(iter(sandbox.export(access.name)["source"]["users"])))
    sandbox.change_user(access.name, user_id, phone="555-0100")
    hub.poll(access.name)
    hub.deliver_all(access.name)
    (letter,) = hub.dead_letters.list(access.name)
    sandbox.clear_faults()
    sandbox.change_user(access.name, user_id, phone="555-0199")
    hub.poll(access.name)
    wait_until(lambda: settled(hub, access.name), seconds=20, what="version 2")
    reopen(hub, letter)
    if store is not None:
        hub.with_slice_parts(store=store)
    wait_until(lambda: settled(hub, access.name), seconds=20, what="the replay")
    return access.name


def reopen(hub: Hub, letter) -> None:
    """Past the replay itself, which leaves an older version where it is: only the ledger stands before the write."""
    own = {"customer_id": letter.customer_id, "event_id": letter.event_id}
    anew = {"state": "pending", "retry_at": hub.clock.now(), "finished_at": None, "attempts": 0}
    with hub.engine.begin() as connection:
        connection.execute(update(dead_letters).filter_by(**own).values(state="replayed"))
        assert connection.execute(update(events).filter_by(**own).values(**anew)).rowcount == 1
