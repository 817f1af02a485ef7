"""The plan of how participations are read: kept, made anew once a day from the mirror, and obeyed by the next run."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from support.hub import Hub

from common.domain.clock import ManualClock, SystemClock
from common.domain.limits import Share
from common.storage.tables import scopes
from poller.sources.registry import PLAN, PLAN_KEPT, resources
from poller.tasks import poll_customer

#: Never again within a test, so that what a plan asks for is seen by itself.
RARELY = {"details_seconds": 7 * 86_400, "user_seconds": 86_400}


@pytest.fixture
def clock():
    return ManualClock(current=SystemClock().now())


@pytest.fixture
def hub(engine, servers, redis, clock):
    built = Hub(engine=engine, servers=servers, redis=redis, clock=clock)
    yield built
    built.close()


@pytest.fixture
def acme(hub, organization):
    """A customer, and its polls as the task makes them."""
    access = organization(users=6)
    hub.onboard(access, source_settings=RARELY)
    return access.name


def poll(hub, customer_id):
    poller = SimpleNamespace(customers=hub.customers, resources=resources, run_parts=hub.run_parts, plans=hub.plans)
    poll_customer(poller, customer_id)


def kept(hub, customer_id):
    return hub.references.get(customer_id, PLAN, not_before=hub.clock.now() - PLAN_KEPT)


def user_scopes(engine, customer_id):
    query = select(scopes.c.due_at).filter_by(customer_id=customer_id).where(scopes.c.scope.like("user/%"))
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def test_a_plan_is_made_once_the_mirror_has_what_it_depends_on_and_not_before(hub, acme):
    hub.plans.renew(hub.customers.get(acme))
    assert kept(hub, acme) is None
    poll(hub, acme)
    assert kept(hub, acme) is None
    poll(hub, acme)

    assert set(kept(hub, acme)) == {"participations", "needs_details"}


def test_a_plan_is_made_anew_after_a_day_and_not_within_it(hub, acme, clock):
    poll(hub, acme)
    poll(hub, acme)
    made = kept(hub, acme)
    hub.references.put(acme, PLAN, {"participations": "users", "needs_details": False}, clock.now())
    clock.advance(86_400 - 60)
    poll(hub, acme)
    assert kept(hub, acme) == {"participations": "users", "needs_details": False}
    clock.advance(120)
    poll(hub, acme)

    assert kept(hub, acme)["needs_details"] is made["needs_details"] is True


def test_a_source_is_opened_with_the_plan_that_is_kept_for_its_customer_alone(hub, acme, organization, clock):
    other = organization(users=1)
    hub.onboard(other)
    hub.references.put(acme, PLAN, {"participations": "users", "needs_details": False}, clock.now())
    read_at = clock.now()

    def reads_users_again(customer_id):
        source = hub.run_parts.open_source(hub.customers.get(customer_id), Share.LIVE)
        return source.due_at("participations", "user/1", {}, read_at=read_at, now=read_at)

    assert reads_users_again(acme) == read_at + timedelta(days=1)
    assert reads_users_again(other.name) == read_at + timedelta(days=7)


def test_who_was_to_be_read_only_at_a_change_is_read_again_by_a_plan_that_wants_it(hub, acme, clock, engine):
    """Without it, a customer that gets its first certificate would never have its people's certificates read."""
    hub.references.put(acme, PLAN, {"participations": "dates", "needs_details": False}, clock.now())
    poll(hub, acme)
    assert set(user_scopes(engine, acme)) == {None}
    clock.advance(86_400 + 1)
    poll(hub, acme)

    assert kept(hub, acme)["needs_details"] is True
    due = user_scopes(engine, acme)
    assert None not in due
    assert max(due) <= clock.now() + timedelta(days=6)


def test_a_plan_that_is_older_than_a_month_means_nothing(hub, acme, clock):
    hub.references.put(acme, PLAN, {"participations": "users", "needs_details": False}, clock.now())
    clock.advance(PLAN_KEPT.total_seconds() + 1)

    assert hub.plans.of(hub.customers.get(acme)) == {}


def test_malformed_settings_end_in_a_pause_with_the_reason_and_not_in_a_defect(hub, acme):
    poll(hub, acme)
    customer = hub.customers.get(acme)
    hub.customers.change(type(customer)(**{**vars(customer), "source_settings": {"colour": "red"}}))
    poll(hub, acme)

    assert "colour" in hub.customers.get(acme).status_reason
