"""Changes since a cursor, and a snapshot, on real PostgreSQL: killed at each save, nothing is lost or told twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select
from support.breaking import Killed, KillsAt
from support.builders import a_customer
from support.following import Ledger

from common.domain.resources import USERS
from common.domain.runs import RunState
from common.storage.tables import checkpoints, events, mirror
from poller.detectors.full import Full


@pytest.fixture
def followed(hub):
    """A customer whose source is the ledger."""
    hub.customers.add(a_customer())
    source = Ledger(page_size=2)
    source.put("u1", "u2", "u3", "u4")
    hub.with_run_parts(open_source=lambda _customer, _share: source, full=Full(absence=timedelta(0)))
    return source


def rows(hub, *columns, **own):
    with hub.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).filter_by(customer_id="acme", **own))]


def there(hub):
    found = rows(hub, mirror.c.source_id, mirror.c.body, deleted_at=None)
    return {source_id: body["last_name"] for source_id, body in found}


def held(source):
    return {source_id: name for source_id, (name, _) in source.rows.items()}


def cursor(hub):
    return rows(hub, checkpoints.c.cursor, resource=USERS, layer="poll")[0][0]


def told(hub):
    return sorted(rows(hub, events.c.source_id, events.c.action, events.c.version))


def poll_killed_at_each_save(hub):
    """Each process gets one call of the store further than the one before; returns how many died."""
    mine, whole = KillsAt(), hub.run_parts
    for number in range(1, 60):
        mine.arm(1 + number, after=number % 2 == 0)
        hub.with_run_parts(store=mine(whole.store))
        state = None
        with suppress(Killed):
            state = hub.poll("acme")
        hub.with_run_parts(store=whole.store)
        if state is RunState.COMPLETED:
            return number - 1
    raise AssertionError("the run does not end")


def test_the_snapshot_and_the_changes_after_it_survive_a_kill_at_each_save(hub, followed):
    died = poll_killed_at_each_save(hub)
    assert died > 3
    assert there(hub) == held(followed)
    assert told(hub) == [(f"u{number}", "upsert", 1) for number in range(1, 5)]

    followed.put("n1", "n2", "n3")
    followed.put("u1", name="other")
    followed.take("u2")
    assert poll_killed_at_each_save(hub) > 1
    assert there(hub) == held(followed)
    assert len(told(hub)) == len(set(told(hub))) == 9
    assert cursor(hub) == "after-9"


def test_a_page_is_saved_with_its_events_or_not_at_all(hub, followed):
    """Whatever a kill leaves: each record of the mirror has its event, and the cursor none ahead of them."""
    mine, whole, seen = KillsAt(), hub.run_parts.store, set()
    for number in range(2, 9):
        mine.arm(number, after=True)
        hub.with_run_parts(store=mine(whole))
        with suppress(Killed):
            hub.poll("acme")
        hub.with_run_parts(store=whole)
        assert {source_id for source_id, _, _ in told(hub)} == set(there(hub))
        seen.add(len(there(hub)))
        assert cursor(hub) == "" or there(hub) == held(followed)

    assert {2, 4} <= seen


def test_an_expired_cursor_is_made_up_for_with_what_was_deleted_meanwhile(hub, followed):
    assert hub.poll("acme") == RunState.COMPLETED
    followed.put("n1")
    followed.take("u3")
    followed.expire()
    followed.queries.clear()

    assert hub.poll("acme") == RunState.COMPLETED
    assert followed.kinds[:3] == ["changes", "present", "list"]
    assert there(hub) == held(followed)
    assert ("u3", "delete", 2) in told(hub)
