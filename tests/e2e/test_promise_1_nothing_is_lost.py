"""Promise 1: kill any process at any instruction, flush Redis, drop the database's connections, let either API fail or
lie: once the faults stop and the source is quiet, the destination equals the mapped source, with no operator action.
"""

from __future__ import annotations

import itertools
import os
import signal
from contextlib import closing

import pytest
from sqlalchemy import text
from support.breaking import Killed, KillsAt
from support.hub import Hub
from support.waiting import wait_until

from poller.detectors.backfill import Backfill

pytestmark = pytest.mark.slow

FAULTS = (
    {"system": "volunteer", "kind": "error", "status": 502, "body": "html", "rate": 0.1},
    {"system": "volunteer", "kind": "truncate_page", "rate": 0.1},
    {"system": "volunteer", "kind": "repeat_page", "rate": 0.1},
    {"system": "volunteer", "kind": "not_json", "rate": 0.05},
    {"system": "crm", "kind": "error", "status": 503, "body": "empty", "rate": 0.05},
    {"system": "crm", "kind": "drop_after_apply", "rate": 0.05},
    {"system": "crm", "kind": "drop_before_apply", "rate": 0.05},
)


def test_a_fleet_that_is_shot_at_loses_nothing(hub, organization, sandbox, audited, start_fleet, redis, engine):
    """SIGKILL of every worker in turn and of beat, FLUSHALL, all database sessions cut, both APIs lying."""
    for size, create in ((12, "batch"), (45, "direct"), (80, "batch")):
        hub.onboard(organization(users=size), create=create, visibility_seconds=1)
    fleet = start_fleet(settings={"FLEET_PREMIUM_INTERVAL_SECONDS": "2"})
    sandbox.add_faults(*FAULTS)
    sandbox.start_edits(seconds=12, per_second=6, seed=3)

    for name in ("processor1", "poller1", "processor2", "beat"):
        pid = fleet.pid(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda name=name, pid=pid: fleet.pid(name) != pid, seconds=15, what=f"a new {name}")
    redis.flushall()
    cut_all_sessions(engine)
    wait_until(lambda: not sandbox.edits()["running"], seconds=30, what="the end of the edits")
    sandbox.clear_faults()

    report = wait_until(lambda: passing(audited()), seconds=180, what="an audit without findings")
    assert report.verdict == "PASS"
    assert report.total("source") == report.total("destination") - report.total("kept_after_delete")


def test_without_the_sweep_a_flushed_redis_does_lose_work(hub, engine, organization, sandbox, audited, start_fleet):
    """Broken on purpose: FLEET_SWEEP_SECONDS is so long that only the first sweep, at the start, ever comes."""
    first = organization(users=2)
    hub.onboard(first, visibility_seconds=1)
    start_fleet(settings={"FLEET_SWEEP_SECONDS": "100000"})
    wait_until(lambda: len(hub.overview.runs(first.name)) > 2, seconds=30, what="the fleet, and its first sweep")

    access = organization(users=60)
    hub.onboard(access, visibility_seconds=1)
    hub.customers.pause(access.name, "until all is detected")
    hub.poll_all(access.name)  # events are in PostgreSQL; their messages, as after a flush, are nowhere
    hub.customers.resume(access.name)
    ours = runs_of(engine, access.name)
    wait_until(lambda: runs_of(engine, access.name) > ours + 3, seconds=30, what="polls that find nothing new")

    assert set(hub.states(access.name)) == {"pending"}
    assert audited().total("missing") >= 60


def test_killed_at_any_step_of_a_poll_and_its_deliveries_nothing_is_lost(hub, organization, sandbox, audited):
    """Every call of the stores and connectors, before and after it: the step raises, and a fresh worker goes on."""
    access = organization(users=2)
    hub.onboard(access, create="direct")
    mine = KillsAt()
    with closing(mined_hub(hub, mine)) as mined:
        mine.arm(None)
        one_round(mined, access.name)
        steps = mine.calls
        assert {"save_page", "finish_run", "begin", "apply", "record"} <= set(mine.names)

        for step, after in itertools.product(range(1, steps + 1), (False, True)):
            sandbox.create_user(access.name)
            user_id = next(iter(sandbox.export(access.name)["source"]["users"]))
            sandbox.change_user(access.name, int(user_id), phone=f"555-{step:04d}-{int(after)}")
            mine.arm(step, after=after)
            with pytest.raises(Killed):
                run_until_killed(mined, access.name)
    wait_until(lambda: settle(hub, access.name) and audited().passed, seconds=60, what="convergence")
    assert audited().total("source") == 2 + 2 * steps


def test_a_record_hidden_by_a_moving_list_is_not_lost(hub, organization, sandbox, audited):
    access = organization(users=45)
    hub.onboard(access)
    assert hide_one_while_paging(hub, sandbox, access.name) == "completed"

    wait_until(lambda: settle(hub, access.name), seconds=20, what="all applied")
    assert audited().total("missing") == 0


def test_without_the_seal_a_record_hidden_by_a_moving_list_is_lost(hub, organization, sandbox, audited):
    """Broken on purpose: every scan counts as sealed."""
    access = organization(users=45)
    hub.onboard(access)
    hub.with_run_parts(backfill=Gullible())
    assert hide_one_while_paging(hub, sandbox, access.name) == "completed"

    wait_until(lambda: settle(hub, access.name), seconds=20, what="all applied")
    assert audited().total("missing") == 1


class Gullible(Backfill):
    """Believes every reading."""

    def is_sealed(self, progress, seen):
        return True


def hide_one_while_paging(hub, sandbox, name):
    """Delete a record of page 1 after page 1 was read: all others move up, and one crosses the boundary unseen."""
    done = []

    class Meddling:
        def __init__(self, inner):
            self._inner, self.terms = inner, inner.terms

        def page(self, query):
            page = self._inner.page(query)
            if "page=2" in (page.next_page or "") and not done:
                done.append(page.records[0].source_id)
                sandbox.delete_user(name, int(page.records[0].source_id))
            return page

    opened = hub.run_parts.open_source
    hub.with_run_parts(open_source=lambda customer, share: Meddling(opened(customer, share)))
    state = hub.poll(name)
    hub.with_run_parts(open_source=opened)
    return state


def mined_hub(hub: Hub, mine: KillsAt) -> Hub:
    """A worker whose stores and connectors blow up where told."""
    other = Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=2, http_deadline_seconds=0.5)
    run_parts, slice_parts = other.run_parts, other.slice_parts
    other.with_run_parts(store=mine(run_parts.store), open_source=lambda c, s: mine(run_parts.open_source(c, s)))
    other.with_slice_parts(
        store=mine(slice_parts.store), open_destination=lambda c, s: mine(slice_parts.open_destination(c, s))
    )
    return other


def one_round(hub: Hub, name: str) -> None:
    hub.poll(name)
    while hub.deliver(name):
        pass


def run_until_killed(hub: Hub, name: str) -> None:
    """Rounds until the armed step is reached."""
    for _ in range(20):
        one_round(hub, name)


def settle(hub: Hub, name: str) -> bool:
    hub.poll(name)
    hub.deliver_all(name)
    return hub.is_done(name)


def runs_of(engine, customer_id) -> int:
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM runs WHERE customer_id = :name")
        return connection.execute(query, {"name": customer_id}).scalar_one()


def passing(report):
    return report if report.passed else None


def cut_all_sessions(engine) -> None:
    """What a restart of the database does to those connected: every session ends, and every advisory lock with it."""
    with engine.begin() as connection:
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(text(others))
