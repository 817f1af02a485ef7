"""What happens when a worker turns out not to own what it is working on."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.breaking import Wrapped
from support.hub import Hub
from support.waiting import wait_until

from common.domain.errors import LockLost, RunFenced


def test_a_run_that_was_taken_over_saves_nothing_more(hub, organization):
    access = organization(users=40)
    hub.onboard(access)
    taken = []

    class TakenOver(Wrapped):
        def save_page(self, page, progress, **options):
            if len(taken) == 1:  # while this page was read, the lock was lost and another run started
                with closing(Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=9)) as other:
                    other.with_run_parts(store=other.run_parts.store)
                    with hub.engine.begin() as connection:
                        connection.exec_driver_sql("UPDATE checkpoints SET run_id = 'another'")
            taken.append(page)
            return self._inner.save_page(page, progress, **options)

    hub.with_run_parts(store=TakenOver(hub.run_parts.store))
    assert hub.poll(access.name) == "continued"
    assert len(taken) == 2
    assert hub.states(access.name) == {"pending": 15}


def test_a_fenced_store_call_is_an_error_that_names_customer_and_resource(hub, organization):
    access = organization(users=1)
    hub.onboard(access)
    hub.poll(access.name)
    with pytest.raises(RunFenced, match=access.name):
        hub.run_parts.store.finish_run(
            access.name, "users", "not-mine", state="completed", position=None, error="", now=hub.clock.now()
        )


def test_a_lock_is_lost_with_its_session_and_a_write_is_not_begun(hub, organization, sandbox, engine):
    access = organization(users=4)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    with hub.locks.try_hold("partition/x/0") as held:
        held.verify()
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%% locks'"
            )
        with pytest.raises(LockLost):
            held.verify()


def test_a_worker_that_finds_its_write_taken_over_has_the_entity_applied_again(hub, organization, sandbox):
    """It may have written last: so the newest state is written once more, and both sides are equal again."""
    access = organization(users=1)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    opened = hub.slice_parts.open_destination

    class Zombie(Wrapped):
        def apply(self, writes):
            answers = self._inner.apply(writes)
            with hub.engine.begin() as connection:  # meanwhile another worker looked, and closed the intent
                connection.exec_driver_sql("UPDATE writes SET state = 'looked'")
            return answers

    hub.with_slice_parts(open_destination=lambda customer, share: Zombie(opened(customer, share)))
    hub.deliver(access.name)
    assert hub.states(access.name) == {"pending": 2}

    hub.with_slice_parts(open_destination=opened)
    hub.deliver_all(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="all ended")
    assert len(sandbox.export(access.name)["destination"]["contacts"]) >= 1
