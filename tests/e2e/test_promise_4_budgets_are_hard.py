"""Promise 4: over all processes, no customer's source or destination gets one request more than allowed in any window;
a 429 parks that customer alone and holds no worker.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest
from support.breaking import NoBudget
from support.hub import Hub
from support.waiting import wait_until

from common.storage.references import PostgresReferenceCache
from processor.bootstrap import DestinationParts

pytestmark = pytest.mark.slow

#: Of the account; we allow ourselves 80 % of it, so a few dozen contacts are enough to reach the end.
HOURLY_LIMIT = 40


def test_many_workers_together_stay_within_one_customers_budget(hub, organization, sandbox, audited):
    access = hammer(hub, organization, sandbox, budget=hub.budget)
    # A worker that found every partition taken went home early: what it left is tried once more.
    wait_until(lambda: drain(hub, access.name) or waits_for_the_hour(hub, access.name), seconds=30, what="the end")

    report = audited()
    assert (report.total("over_budget"), report.total("rejected")) == (0, 0)
    # 80 % of the limit is ours, and 80 % of that may go to a backfill: the rest stays for live changes.
    assert report.total("destination_requests") == int(int(HOURLY_LIMIT * 0.8) * 0.8)
    assert hub.customers.get(access.name).parked_until is None  # live changes may still use what is left


def test_without_a_budget_the_limit_is_overrun(hub, organization, sandbox, audited):
    """Broken on purpose: every request is permitted."""
    hammer(hub, organization, sandbox, budget=NoBudget())

    report = audited()
    assert report.total("destination_requests") > HOURLY_LIMIT
    assert report.total("rejected") > 0


def test_a_forgotten_budget_starts_closed_and_one_answer_restores_the_count(hub, organization, sandbox, audited):
    """Redis is flushed when 20 requests are used: the API's own count is taken over, not a full budget."""
    access = organization(users=30, crm_requests_per_hour=HOURLY_LIMIT)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    hub.with_slice_parts(slice_events=5)
    while requests_to_destination(sandbox) < 20:
        hub.deliver(access.name)
    hub.redis.flushdb()

    wait_until(lambda: drain(hub, access.name) or waits_for_the_hour(hub, access.name), seconds=30, what="the end")
    report = audited()
    assert report.total("rejected") == 0
    assert 20 < report.total("destination_requests") <= HOURLY_LIMIT


def test_live_changes_go_on_when_a_backfill_has_used_up_its_share(hub, organization, sandbox):
    access = organization(users=60, crm_requests_per_hour=HOURLY_LIMIT)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    wait_until(lambda: drain(hub, access.name) or waits_for_the_hour(hub, access.name), seconds=30, what="the end")
    applied, detected = hub.states(access.name)["applied"], sum(hub.states(access.name).values())
    sandbox.create_user(access.name)
    # A list of more than one page is read up to the last full second: the next poll has what is newer.
    wait_until(
        lambda: hub.poll(access.name) and sum(hub.states(access.name).values()) > detected, seconds=30, what="detected"
    )
    drain(hub, access.name)

    assert hub.states(access.name)["applied"] == applied + 1


def test_a_429_parks_that_customer_alone_and_counts_no_attempt(hub, organization, sandbox):
    limited, free = organization(users=3), organization(users=3)
    for access in (limited, free):
        hub.onboard(access, create="direct")
        hub.poll(access.name)
    sandbox.add_faults(
        {"system": "crm", "organization": limited.name, "kind": "rate_limit", "retry_after_seconds": 600, "rate": 1.0}
    )
    before = hub.clock.now()
    drain(hub, limited.name)
    drain(hub, free.name)

    parked = hub.customers.get(limited.name).parked_until
    assert parked is not None
    assert 590 < (parked - before).total_seconds() < 610
    assert hub.customers.get(free.name).parked_until is None
    assert hub.states(free.name) == {"applied": 3}
    with hub.engine.connect() as connection:
        attempts = connection.exec_driver_sql(
            "SELECT max(attempts) FROM events WHERE customer_id = %s", (limited.name,)
        ).scalar_one()
    assert attempts == 0


def hammer(hub: Hub, organization, sandbox, *, budget):
    """Four workers with more to write than the account allows in an hour."""
    access = organization(users=60, crm_requests_per_hour=HOURLY_LIMIT)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(closing(Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=n)))
            for n in range(2, 6)
        ]
        for worker in workers:
            use_budget(worker, budget)
        threads = [threading.Thread(target=drain, args=(worker, access.name)) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return access


def use_budget(worker: Hub, budget) -> None:
    parts = DestinationParts(
        transport=worker.transport,
        vault=worker.vault,
        budget=budget,
        clock=worker.clock,
        metrics=worker.metrics,
        references=PostgresReferenceCache(worker.engine),
        deadline_seconds=worker.http_deadline_seconds,
        requests_per_hour=int(HOURLY_LIMIT * 0.8),
    )
    worker.with_slice_parts(open_destination=parts.open, slice_events=10)


def drain(hub: Hub, name: str) -> None:
    """Deliver as the task does: not while the customer is parked."""
    for _ in range(200):
        customer = hub.customers.get(name)
        if customer.is_parked(hub.clock.now()) or not hub.deliver(name):
            return


def requests_to_destination(sandbox) -> int:
    return sum(entry["system"] == "crm" and entry["method"] != "IMPORT" for entry in sandbox.journal())


def waits_for_the_hour(hub: Hub, name: str) -> bool:
    """All that is left waits for longer than a closed budget's probe takes."""
    soon = hub.clock.now() + timedelta(seconds=60)
    with hub.engine.connect() as connection:
        query = "SELECT min(retry_at) FROM events WHERE customer_id = %s AND state = 'pending'"
        earliest = connection.exec_driver_sql(query, (name,)).scalar_one()
    return earliest is None or earliest > soon
