"""Our own servers away: nothing is counted against a customer, and nobody waits for who is gone."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from common.domain.customers import System
from common.domain.throttles import Throttle
from common.limits.budget import RedisBudget
from common.queueing.asked import Asked
from common.queueing.celery_app import make_app
from common.queueing.hot_set import connect_redis
from common.queueing.names import SWEEP
from common.storage.engine import OUTAGES, make_engine
from common.storage.throttles import TELLING, PostgresThrottles
from common.storage.usage import PostgresUsage
from poller.tasks import declare_tasks


def test_a_database_that_goes_away_fails_no_run_and_costs_no_progress(hub, organization):
    access = organization(users=60)
    hub.onboard(access)
    store, saved = hub.run_parts.store, []

    class Flaky:
        def __getattr__(self, name):
            return getattr(store, name)

        def save_page(self, page, progress, **options):
            if len(saved) == 2:
                saved.append("away")
                raise OperationalError("the server closed the connection", None, psycopg.OperationalError())
            saved.append(progress)
            return store.save_page(page, progress, **options)

    hub.with_run_parts(store=Flaky(), outages=OUTAGES)
    with pytest.raises(OperationalError):
        hub.poll(access.name)
    assert [run.state for run in hub.overview.runs(access.name)] == ["running"]
    before = saved[1].next_page

    assert hub.poll(access.name) == "completed"
    assert (before is not None, len(hub.overview.runs(access.name))) == (True, 1)
    assert hub.customers.get(access.name).is_active


def test_a_redis_that_is_away_opens_nobodys_breaker(hub, organization):
    access = organization(users=2)
    hub.onboard(access)
    with connect_redis("redis://127.0.0.1:1/0") as nowhere:
        budget = RedisBudget(nowhere, PostgresUsage(hub.engine, hub.clock), hub.clock)
        hub.with_run_parts(open_source=_with_budget(hub, budget))
        for _ in range(6):
            hub.poll(access.name)
            hub.customers.resume(access.name)  # at once, not when the backoff is over

    assert hub.overview.runs(access.name)[0].state == "continued"
    (row,) = [row for row in hub.overview.customers() if row.customer_id == access.name]
    assert System.SOURCE not in row.breakers


def _with_budget(hub, budget):
    opened = hub.run_parts.open_source

    def open_source(customer, share):
        source = opened(customer, share)
        source._api._budget = budget
        return source

    return open_source


def test_a_teller_that_was_stopped_holds_up_no_sweep(hub):
    throttles = PostgresThrottles(hub.engine)
    told: list[list[Throttle]] = []
    with hub.engine.begin() as stopped:
        stopped.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TELLING})
        throttles.tell(told.append, wait=False)

    assert told == []
    throttles.tell(told.append, wait=False)
    assert told == [[]]


def test_the_server_gives_back_the_locks_of_a_machine_that_vanished_within_seconds(hub):
    """From its side too: ours alone would keep a lock for the kernel's two hours."""
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    with hub.locks.try_hold("anything"):
        connection = hub.locks._connection
        shown = [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]
    engine = make_engine(hub.servers.database_url, connections=1, name="outages")
    with engine.connect() as session:
        assert [session.execute(text(f"SHOW {name}")).scalar_one() for name in names] == shown
    engine.dispose()
    assert shown == ["5", "2", "3", "10000"]


def test_sweeps_that_queued_up_while_all_workers_were_busy_are_made_once(hub, redis):
    """Several leaders, one after the other, may each have asked for one."""
    swept = []
    parts = SimpleNamespace(
        asked=Asked(redis), sweep_seconds=30.0, brake=SimpleNamespace(obey=None), clock=hub.clock, polls=None,
        throttles=SimpleNamespace(tell=lambda _obey, *, wait: swept.append(wait)),
        customers=SimpleNamespace(end_pauses=lambda _now: (), served=list), deliveries=None,
            batches=SimpleNamespace(due=lambda _now: ()),
        overview=SimpleNamespace(mapped=lambda _now: [], due_work=lambda _now: (), due_runs=lambda _now: ()),
        nights=SimpleNamespace(store=SimpleNamespace(due=lambda _now: ())),
        pages=SimpleNamespace(prune=lambda _before, *, at_most: 0 * at_most), pages_kept_for=timedelta(days=8),
    )  # fmt: skip
    parts.deliveries = SimpleNamespace(restore=lambda _due, by: 0, repair=lambda _lanes: 0)
    app = make_app("t", hub.servers.broker_url, log_format="text", log_level="ERROR")
    declare_tasks(app, lambda: parts)
    for _ in range(3):
        app.tasks[SWEEP]()
    app.close()

    assert swept == [False]
