"""How large a customer is, over both implementations: what is there and readable, and which lists are known whole."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import update
from support.builders import NOW, a_broken_record, a_customer, a_page, a_record, after

from common.domain.clock import ManualClock
from common.domain.layers import Layer
from common.domain.resources import PROJECTS, USERS
from common.domain.runs import RunState
from common.storage import sizes as postgres_sizes
from common.storage.customers import PostgresCustomerStore
from common.storage.detection import PostgresDetectionStore
from common.storage.memory.detection import MemoryDetectionStore
from common.storage.memory.sizes import MemorySizes
from common.storage.memory.tables import MemoryTables
from common.storage.sizes import PostgresSizes
from common.storage.tables import mirror

A_PROJECT = replace(a_record("1"), resource=PROJECTS)


@pytest.fixture(params=["memory", "postgres"])
def account(request):
    """A mirror, how to fill it, and what it says of its size."""
    if request.param == "memory":
        tables = MemoryTables()
        return SimpleNamespace(
            detection=MemoryDetectionStore(tables, partitions=4), sizes=MemorySizes(tables), delete=_forgetting(tables)
        )
    engine = request.getfixturevalue("engine")
    for customer_id in ("acme", "globex"):
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))
    return SimpleNamespace(
        detection=PostgresDetectionStore(engine, partitions=4), sizes=PostgresSizes(engine), delete=_deleting(engine)
    )


def _deleting(engine):
    def delete(source_id):
        with engine.begin() as connection:
            connection.execute(update(mirror).where(mirror.c.source_id == source_id).values(deleted_at=NOW))

    return delete


def _forgetting(tables):
    def delete(source_id):
        with tables.transaction() as rows:
            for entity, known in list(rows.mirror.items()):
                if entity.source_id == source_id:
                    rows.mirror[entity] = replace(known, deleted_at=NOW)

    return delete


def read(account, *records, broken=(), resource=USERS, customer_id="acme", layer=Layer.POLL, position=NOW):
    """One whole run; `position` None: it did not come to its end."""
    run_id = f"{customer_id}-{resource}-{layer}-{len(records)}-{len(broken)}"
    store, own = account.detection, {"customer_id": customer_id, "resource": resource}
    started = store.start_run(**own, run_id=run_id, trace_id="t", now=NOW, layer=layer)
    store.save_page(a_page(started.progress, *records, broken=broken, **own), started.progress)
    state = RunState.COMPLETED if position else RunState.UNSEALED
    run_id = started.progress.run_id
    store.finish_run(customer_id, resource, run_id, state=state, position=position, error="", now=after(1))


def test_records_are_counted_by_resource_and_customer(account):
    read(account, a_record("1"), a_record("2"))
    read(account, A_PROJECT, resource=PROJECTS)
    read(account, a_record("7"), customer_id="globex")

    assert dict(account.sizes.counts("acme")) == {USERS: 2, PROJECTS: 1}
    assert dict(account.sizes.counts("globex")) == {USERS: 1}
    assert dict(account.sizes.counts("nobody")) == {}


def test_what_is_deleted_or_cannot_be_read_is_neither_counted_nor_shown(account):
    read(account, a_record("1"), a_record("2"), broken=[a_broken_record("3")])
    account.delete("2")

    assert dict(account.sizes.counts("acme")) == {USERS: 1}
    assert list(account.sizes.bodies("acme", USERS)) == [a_record("1").body]


def test_bodies_are_shown_all_each_once_also_over_many_steps(account, monkeypatch):
    monkeypatch.setattr(postgres_sizes, "STEP", 3)
    for count in (9, 1):  # three full steps, and one that is not
        read(account, *(a_record(f"{count}{number}", first_name=f"{count}{number}") for number in range(count)))
    read(account, A_PROJECT, resource=PROJECTS)

    names = [body["first_name"] for body in account.sizes.bodies("acme", USERS)]
    assert names == ["10", *(f"9{number}" for number in range(9))]
    assert list(account.sizes.bodies("acme", "groups")) == []


def test_a_resource_is_listed_once_a_run_of_a_poll_has_come_to_its_end(account):
    read(account, a_record("1"), position=None)
    read(account, A_PROJECT, resource=PROJECTS, layer=Layer.RECONCILIATION)
    read(account, a_record("1"), customer_id="globex")
    assert set(account.sizes.listed("acme")) == set()
    read(account, a_record("1"), a_record("2"))

    assert set(account.sizes.listed("acme")) == {USERS}
