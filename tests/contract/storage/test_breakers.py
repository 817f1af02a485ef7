"""Breakers over both implementations: one probe at a time, whoever asks, and nothing stored where all is well."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from support.builders import NOW, a_customer, after
from support.waiting import wait_until

from common.domain.breakers import BreakerPolicy, BreakerState
from common.domain.clock import ManualClock
from common.domain.customers import System
from common.domain.errors import BreakerOpen, CredentialsBlocked
from common.domain.passages import PROBE_RECHECK_SECONDS
from common.storage.breakers import PostgresBreakers
from common.storage.customers import PostgresCustomerStore
from common.storage.memory.breakers import MemoryBreakers

POLICY = BreakerPolicy(failures=3)
CALLERS = 8


@pytest.fixture(params=["memory", "postgres"])
def breakers(request):
    if request.param == "memory":
        return MemoryBreakers(POLICY)
    engine = request.getfixturevalue("engine")
    for customer_id in ("acme", "globex"):
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(customer_id))
    return PostgresBreakers(engine, POLICY, lambda: 0.0)


def fail(breakers, times=POLICY.failures, now=NOW, system=System.SOURCE):
    for _ in range(times):
        found = breakers.failed(breakers.admit("acme", system, now), "503", now)
    return found


def test_where_all_is_well_there_is_nothing_to_write(breakers):
    permit = breakers.admit("acme", System.SOURCE, NOW)

    assert (permit.clean, permit.probe) == (True, None)
    assert breakers.of("acme") == {}


def test_failures_are_counted_over_callers_and_a_success_wipes_them_out(breakers):
    assert fail(breakers, 2).failures == 2
    permit = breakers.admit("acme", System.SOURCE, NOW)
    assert not permit.clean
    breakers.succeeded(permit, NOW)

    assert breakers.of("acme") == {}


def test_an_open_breaker_lets_nobody_pass_before_its_moment(breakers):
    assert fail(breakers).probe_at == after(30)

    for seconds in (0, 29.9):
        with pytest.raises(BreakerOpen, match="503") as caught:
            breakers.admit("acme", System.SOURCE, after(seconds))
        assert caught.value.until == after(30)


def test_the_other_system_and_other_customers_are_not_concerned(breakers):
    fail(breakers)

    assert breakers.admit("acme", System.DESTINATION, NOW).clean
    assert breakers.admit("globex", System.SOURCE, NOW).clean
    assert breakers.of("globex") == {}


def test_of_many_callers_at_once_exactly_one_is_the_probe(breakers):
    fail(breakers)
    start = threading.Barrier(CALLERS)

    def ask(_):
        start.wait(timeout=10)
        try:
            return breakers.admit("acme", System.SOURCE, after(30)).probe
        except BreakerOpen as wait:
            return wait.until

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = sorted(pool.map(ask, range(CALLERS)))

    assert answers == [after(30 + PROBE_RECHECK_SECONDS)] * (CALLERS - 1) + [after(30 + POLICY.lease_seconds)]


def test_a_caller_who_looked_too_early_waits_for_the_row_and_finds_the_probe_out(engine):
    """Another process is just sending the probe out, and has not committed."""
    PostgresCustomerStore(engine, ManualClock()).add(a_customer())
    breakers = PostgresBreakers(engine, POLICY, lambda: 0.0)
    fail(breakers)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    # One statement a transaction: within one, PostgreSQL shows the sessions as they were at the first look.
    watching = engine.execution_options(isolation_level="AUTOCOMMIT")
    with ThreadPoolExecutor(1) as pool, engine.connect() as other, watching.connect() as watcher:
        other.execute(text("UPDATE breakers SET state = 'half_open', probe_at = :at"), {"at": after(150)})
        caller = pool.submit(breakers.admit, "acme", System.SOURCE, after(30))
        wait_until(lambda: watcher.execute(text(waiting)).scalar_one(), seconds=10, what="the caller at the lock")
        other.commit()

        with pytest.raises(BreakerOpen):
            caller.result(timeout=10)


def test_a_probe_that_succeeds_closes_and_leaves_nothing(breakers):
    fail(breakers)
    breakers.succeeded(breakers.admit("acme", System.SOURCE, after(30)), after(31))

    assert breakers.of("acme") == {}


def test_a_probe_that_fails_opens_for_twice_as_long(breakers):
    fail(breakers)
    found = breakers.failed(breakers.admit("acme", System.SOURCE, after(30)), "504", after(40))

    assert (found.state, found.openings, found.probe_at, found.reason) == (BreakerState.OPEN, 2, after(100), "504")
    assert breakers.of("acme") == {System.SOURCE: found}


def test_a_probe_whose_process_died_is_followed_by_another_and_heard_no_more(breakers):
    fail(breakers)
    lost = breakers.admit("acme", System.SOURCE, after(30))
    second = breakers.admit("acme", System.SOURCE, after(30 + POLICY.lease_seconds))
    breakers.succeeded(lost, after(200))
    breakers.returned(lost, after(200))

    assert breakers.of("acme")[System.SOURCE].state is BreakerState.HALF_OPEN
    breakers.succeeded(second, after(200))
    assert breakers.of("acme") == {}


def test_a_probe_that_is_given_back_is_followed_at_once(breakers):
    fail(breakers)
    breakers.returned(breakers.admit("acme", System.SOURCE, after(30)), after(31))

    assert breakers.admit("acme", System.SOURCE, after(31)).probe is not None


def test_what_is_blocked_stays_so_until_it_is_verified(breakers):
    late = breakers.admit("acme", System.SOURCE, NOW)
    breakers.block("acme", System.SOURCE, "401", NOW)
    breakers.succeeded(late, NOW)
    breakers.failed(late, "503", NOW)
    breakers.retry("acme", NOW)

    with pytest.raises(CredentialsBlocked, match="401"):
        breakers.admit("acme", System.SOURCE, after(1e8))
    assert breakers.unblock("acme", System.SOURCE)
    assert breakers.admit("acme", System.SOURCE, NOW).clean


def test_verifying_also_closes_what_is_only_open(breakers):
    fail(breakers)

    assert not breakers.unblock("acme", System.SOURCE)
    assert breakers.of("acme") == {}


def test_a_person_may_have_an_open_one_probed_at_once(breakers):
    fail(breakers)
    breakers.retry("acme", after(1))

    assert breakers.admit("acme", System.SOURCE, after(1)).probe is not None


def test_a_look_at_a_closed_breaker_is_one_select_by_the_key(engine):
    PostgresCustomerStore(engine, ManualClock()).add(a_customer())
    with engine.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        plan = connection.execute(
            text("EXPLAIN SELECT * FROM breakers WHERE customer_id = 'acme' AND system = 'source'")
        ).scalars()

        assert "pk_breakers" in next(plan)
