"""Bugs that were found, each as the behaviour that would have shown it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from support.breaking import Wrapped
from support.builders import a_broken_record, a_customer, a_page
from support.hub import Hub
from support.waiting import wait_until

from common.config.settings import Settings
from common.domain.clock import SystemClock
from common.domain.customers import Lane
from common.domain.errors import RateLimited, RecordRefused
from common.queueing.asked import Asked
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.queueing.polls import Polls
from common.storage.customers import open_customers
from common.storage.engine import OUTAGES
from poller.schedule.scheduler import LEADER_LOCK, Beat
from processor.destinations.crm_plus.client import CrmPlusDestination


def settle(hub, name) -> None:
    wait_until(lambda: hub.poll(name) and (hub.deliver_all(name) or hub.is_done(name)), seconds=20, what="all ended")


def the_user(sandbox, name) -> dict:
    (user,) = sandbox.export(name)["source"]["users"].values()
    return user


def the_contact(sandbox, name) -> dict:
    (contact,) = sandbox.export(name)["destination"]["contacts"]
    return contact["contactIndividuals"][0]


@pytest.mark.parametrize("failure", ["refused", "limited"])
def test_a_change_that_was_half_sent_and_then_taken_back_is_taken_back_at_the_destination(
    hub, organization, sandbox, failure
):
    """An update is several requests: after a failed one the ledger must not claim the state of before."""
    access = organization(users=1)
    hub.onboard(access, create="direct")
    settle(hub, access.name)
    user = the_user(sandbox, access.name)
    opened = hub.slice_parts.open_destination

    class HalfWay(Wrapped):
        def send(self, method, route, **more):
            if method == "PUT" and route.startswith("/api/ContactMethod"):
                if failure == "refused":
                    raise RecordRefused("no", reason="http_422", status=422)
                raise RateLimited("429", until=hub.clock.now() + timedelta(milliseconds=10))
            return self._inner.send(method, route, **more)

    def half_way(customer, share):
        account = opened(customer, share)._account
        return CrmPlusDestination(replace(account, api=HalfWay(account.api)))

    hub.with_slice_parts(open_destination=half_way)
    sandbox.change_user(access.name, int(user["id"]), last_name="Partially", email="partially@example.org")
    hub.poll(access.name)
    hub.deliver(access.name)
    assert the_contact(sandbox, access.name)["lastName"] == "Partially"

    hub.with_slice_parts(open_destination=opened)
    sandbox.change_user(access.name, int(user["id"]), last_name=user["last_name"], email=user["email"])
    hub.customers.resume(access.name)
    settle(hub, access.name)
    assert the_contact(sandbox, access.name)["lastName"] == user["last_name"]


def test_a_replayed_letter_does_not_land_after_a_newer_version_that_changed_nothing(hub, organization, sandbox):
    """Version 2 is refused, version 3 equals version 1: the ledger must know that 3 is there too."""
    access = organization(users=1)
    hub.onboard(access, create="direct")
    settle(hub, access.name)
    user = the_user(sandbox, access.name)
    opened = hub.slice_parts.open_destination

    class Refuses(Wrapped):
        def apply(self, writes):
            raise RecordRefused("no", reason="http_422", status=422)

    hub.with_slice_parts(open_destination=lambda customer, share: Refuses(opened(customer, share)))
    sandbox.change_user(access.name, int(user["id"]), phone="555-0002")
    hub.poll(access.name)
    hub.deliver_all(access.name)
    (letter,) = hub.dead_letters.list(access.name)
    hub.with_slice_parts(open_destination=opened)
    sandbox.change_user(access.name, int(user["id"]), phone=user["phone"])
    settle(hub, access.name)

    assert hub.dead_letters.list(access.name) == []
    assert not hub.dead_letters.replay(letter, hub.clock.now())
    settle(hub, access.name)
    assert "555-0002" not in {method["value"] for method in the_contact(sandbox, access.name)["contactMethods"]}


def test_a_letter_that_is_replayed_during_a_run_is_read_again(hub, organization, sandbox, engine):
    """The run's end must not carry the checkpoint past the item once more."""
    access = organization(users=40)
    hub.onboard(access)
    hub.poll(access.name)
    source_id = min(sandbox.export(access.name)["source"]["users"], key=int)
    letter = plant_unreadable(hub, access.name, source_id)
    replayed = []

    class Meanwhile(Wrapped):
        def save_page(self, page, progress, **options):
            counts = self._inner.save_page(page, progress, **options)
            if not replayed:
                replayed.append(hub.dead_letters.replay(letter, hub.clock.now()))
            return counts

    store = hub.run_parts.store
    sandbox.change_user(access.name, int(source_id) + 5, phone="555-1111")
    hub.with_run_parts(store=Meanwhile(store))
    hub.poll(access.name)
    assert replayed == [True]
    hub.with_run_parts(store=store)
    wait_until(lambda: hub.poll(access.name) == "completed", seconds=10, what="a completed run")

    with engine.connect() as connection:
        query = "SELECT content_hash FROM mirror WHERE source_id = %s"
        assert connection.exec_driver_sql(query, (source_id,)).scalar_one() != ""
    assert {report.state for report in hub.overview.runs(access.name)} <= {"completed", "failed"}


def plant_unreadable(hub, name, source_id):
    store, now = hub.run_parts.store, hub.clock.now()
    start = store.start_run(customer_id=name, resource="users", run_id="planted", trace_id="t", now=now)
    page = a_page(start.progress, broken=(a_broken_record(source_id),), customer_id=name, now=now)
    store.save_page(page, start.progress)
    store.finish_run(name, "users", "planted", state="completed", position=None, error="", now=now)
    (letter,) = hub.dead_letters.list(name)
    return letter


def test_a_record_once_stamped_in_the_future_is_still_kept_in_step(hub, organization, sandbox):
    access = organization(users=1)
    hub.onboard(access)
    stamped(hub, access.name, datetime(2099, 1, 1, tzinfo=UTC))
    sandbox.change_user(access.name, int(the_user(sandbox, access.name)["id"]), phone="555-7777")
    settle(hub, access.name)

    assert "555-7777" in {method["value"] for method in the_contact(sandbox, access.name)["contactMethods"]}


def test_a_stamp_of_the_year_1_does_not_stop_later_polls(hub, organization, sandbox):
    access = organization(users=1)
    hub.onboard(access)
    stamped(hub, access.name, datetime(1, 1, 1, tzinfo=UTC))
    sandbox.create_user(access.name)

    wait_until(lambda: hub.poll(access.name) == "completed", seconds=10, what="a completed run")
    assert sum(hub.states(access.name).values()) >= 2


def stamped(hub, name, moment) -> None:
    """One poll in which every record carries this time."""
    opened = hub.run_parts.open_source

    class Lying(Wrapped):
        def page(self, query):
            page = self._inner.page(query)
            return replace(page, records=[replace(record, updated_at=moment) for record in page.records])

    hub.with_run_parts(open_source=lambda customer, share: Lying(opened(customer, share)))
    hub.poll(name)
    hub.with_run_parts(open_source=opened)


def test_an_answer_without_a_total_seals_nothing(hub, organization, engine):
    access = organization(users=12)
    hub.onboard(access)
    opened = hub.run_parts.open_source

    class Short(Wrapped):
        def page(self, query):
            page = self._inner.page(query)
            newest = sorted(page.records, key=lambda record: record.updated_at)[-3:]
            return replace(page, records=newest, total=None, next_page=None)

    hub.with_run_parts(open_source=lambda customer, share: Short(opened(customer, share)))
    assert hub.poll(access.name) == "unsealed"
    hub.with_run_parts(open_source=opened)
    assert hub.poll(access.name) == "completed"

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mirror").scalar_one() == 12


def test_a_worker_that_lost_its_lock_before_its_intent_does_not_create_a_second_time(
    hub, organization, sandbox, engine
):
    access = organization(users=1)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    cut = []
    with closing(Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=5)) as other:

        class Late(Wrapped):
            def begin(self, intents):
                if not cut:
                    cut.append(True)
                    with engine.begin() as connection:
                        connection.exec_driver_sql(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE application_name LIKE '%% locks'"
                        )
                    wait_until(lambda: other.deliver(access.name), seconds=10, what="the other worker")
                return self._inner.begin(intents)

        hub.with_slice_parts(store=Late(hub.slice_parts.store))
        hub.deliver(access.name)

    own = [entry for entry in sandbox.journal() if entry["organization"] == access.name]
    assert [entry["path"] for entry in own if entry["method"] == "POST"].count("/crm/api/Contact") == 1
    assert hub.states(access.name) == {"applied": 1}


def test_the_sweep_lifts_a_parking_that_only_redis_still_knows(hub, redis):
    hot, now = HotSet(redis), hub.clock.now()
    hot.park(Lane.PRIORITY, "acme", now + timedelta(hours=20))
    redis.lpush("events.acme", "a delivery")
    Deliveries(None, hot, hub.clock, hub.metrics).restore({"acme": Lane.PRIORITY}, by="sweep")

    assert list(hot.head(Lane.PRIORITY, hub.clock.now(), 10)) == ["acme"]


def test_a_field_name_that_the_database_cannot_hold_is_a_dead_letter_all_the_same(hub, organization):
    access = organization(users=1)
    hub.onboard(access, create="direct")
    hub.poll(access.name)
    opened = hub.slice_parts.open_destination

    class Refuses(Wrapped):
        def apply(self, writes):
            raise RecordRefused("no", reason="http_422", field="a\x00b", status=422)

    hub.with_slice_parts(open_destination=lambda customer, share: Refuses(opened(customer, share)), outages=OUTAGES)
    hub.deliver(access.name)

    # The connector cleans names; if one slips through, the customer waits a minute instead of spinning.
    assert hub.customers.get(access.name).is_parked(hub.clock.now())


@pytest.mark.parametrize("away", ["database", "broker"])
def test_a_beat_outlives_the_servers_it_needs(away):
    beat = a_beat(away)
    waits = [beat.tick() for _ in range(3)]

    assert all(wait > 0 for wait in waits)


def a_beat(away: str) -> Beat:
    app = make_app("b", "redis://127.0.0.1:1/0", log_format="json", log_level="INFO")
    clock = SystemClock()

    class Everybody:
        @contextmanager
        def try_hold(self, _name):
            yield Content()

    class Content:
        def verify(self) -> None:
            """Always."""

    class Customers:
        def all(self):
            return [a_customer(poll_interval_seconds=1)]

        def revision(self):
            return 1

    class Schedule:
        def published_until(self):
            return None

        def slots_until(self):
            return None

        def note_published(self, until, *, slots_until):
            """Nobody reads it here."""

    class Parts:
        locks = Everybody()
        polls = Polls(app)
        asked = Asked(Redis.from_url("redis://127.0.0.1:1/0"))
        customers = (
            open_customers("postgresql+psycopg://x@127.0.0.1:1/x", name="b") if away == "database" else Customers()
        )

        schedule = Schedule()

        @staticmethod
        def resources(_customer):
            return ("users",)

    Parts.clock = clock
    return Beat(Settings(), Parts, app)


def test_a_beat_that_waits_to_lead_keeps_nothing_of_its_attempts(hub):
    class Parts:
        locks = hub.locks
        clock = hub.clock

    with (
        closing(Hub(engine=hub.engine, servers=hub.servers, redis=hub.redis, seed=3)) as other,
        other.locks.try_hold(LEADER_LOCK),
    ):
        beat = Beat(None, Parts, None)
        for _ in range(30):
            beat.tick()
        assert len(beat._leadership._exit_callbacks) == 0
