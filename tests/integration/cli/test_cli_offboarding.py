"""Offboarding: what goes, what stays, who no longer sees the customer, and how it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import SecretStr
from sqlalchemy import text
from support.builders import a_broken_record, a_page
from support.waiting import wait_until

from common.domain.backlog import BacklogLimits
from common.domain.customers import CustomerStatus, Lane
from common.metrics.exporter import FleetCollector
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.storage.detection import PostgresDetectionStore
from common.storage.pages import PostgresPages
from processor.bootstrap import Processor
from processor.tasks import deliver_to

UNREACHABLE_REDIS = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def hot(redis):
    return HotSet(redis)


@pytest.fixture
def queued(added, hot, redis):
    """A customer with two messages on its queue."""

    def make(customer_id):
        access = added(customer_id)
        redis.lpush(f"events.{customer_id}", b"{}", b"{}")
        hot.add(Lane.PRIORITY, customer_id)
        return access

    return make


@pytest.fixture
def read(engine):
    """Save a page of a customer, as a run does."""

    def save(customer_id):
        store = PostgresDetectionStore(engine, partitions=4)
        start = {"resource": "users", "run_id": f"run-{customer_id}", "trace_id": "t", "now": datetime.now(UTC)}
        progress = store.start_run(customer_id=customer_id, **start).progress
        store.save_page(a_page(progress, customer_id=customer_id, broken=(a_broken_record(),)), progress)

    return save


@pytest.fixture
def pages(engine):
    """How many are kept of a customer."""
    return PostgresPages(engine).count


@pytest.fixture
def tokens(engine):
    """Systems of a customer that have a token."""

    def read(customer_id):
        query = text("SELECT system FROM credentials WHERE customer_id = :id ORDER BY system")
        with engine.connect() as connection:
            return connection.execute(query, {"id": customer_id}).scalars().all()

    return read


def offboard(fleet, *options, **keyboard):
    return fleet("customers", "offboard", "acme", "--why", "left", *options, **keyboard)


def test_tokens_queue_and_pages_go_and_history_and_other_customers_stay(
    fleet, queued, read, letter, tokens, pages, hot, redis
):
    queued("acme")
    queued("other")
    letter("acme", datetime.now(UTC))
    read("acme")
    read("other")

    outcome = offboard(fleet, "--yes", "--json")

    assert outcome.data == {
        "customer_id": "acme", "tokens": ["source", "destination"], "messages": 2, "open_events": 0, "pages": 1,
        "done": True,
    }  # fmt: skip
    assert (tokens("acme"), tokens("other")) == ([], ["destination", "source"])
    assert (redis.llen("events.acme"), redis.llen("events.other")) == (0, 2)
    assert (pages("acme"), pages("other")) == (0, 1)
    assert set(hot.members(Lane.PRIORITY)) == {"other"}
    assert fleet("events", "acme", "--json").data["events"]["dead_lettered"] == 2
    assert len(fleet("dlq", "list", "acme", "--json").data["dead_letters"]) == 2


def test_a_dry_run_tells_the_same_and_changes_nothing(fleet, queued, read, letter, tokens, pages, actions, redis):
    queued("acme")
    read("acme")
    number = letter("acme", datetime.now(UTC))
    fleet("dlq", "replay", "acme", number, "--no-preview", "--yes")  # one event that is pending, and a third message

    outcome = offboard(fleet, "--dry-run", "--json")

    assert outcome.data == {
        "customer_id": "acme", "tokens": ["source", "destination"], "messages": 3, "open_events": 1, "pages": 1,
        "done": False,
    }  # fmt: skip
    assert (tokens("acme"), redis.llen("events.acme"), pages("acme")) == (["destination", "source"], 3, 1)
    assert "customer.offboarded" not in actions("acme")


@pytest.mark.parametrize(
    ("typed", "code", "status"), [("acme\n", 0, "offboarded"), ("acne\n", 1, "active"), ("", 130, "active")]
)
def test_a_person_types_the_id_or_nothing_is_done(fleet, queued, stored, tokens, typed, code, status):
    queued("acme")

    outcome = offboard(fleet, "--json", typed=typed)

    assert (outcome.code, stored("acme").status) == (code, status)
    assert bool(tokens("acme")) == (status == "active")
    # Before the answer it says what would go, and not that it has gone; the answer's place is not the JSON's.
    assert outcome.err.startswith("note: acme: would go: tokens (source, destination)")
    assert outcome.data["done"] if code == 0 else not outcome.out.strip()


def test_where_nobody_can_be_asked_nothing_is_done(fleet, queued, stored):
    queued("acme")

    outcome = offboard(fleet, stdin="acme\n")

    assert (outcome.code, stored("acme").status) == (2, "active")
    assert outcome.err == "error: nobody can be asked here: add --yes, or look first with --dry-run\n"


def test_what_redis_kept_while_it_was_away_goes_when_asked_again(fleet, queued, tokens, redis, monkeypatch):
    queued("acme")
    with monkeypatch.context() as away:
        away.setenv("FLEET_BROKER_URL", UNREACHABLE_REDIS)
        first = offboard(fleet, "--yes", "--json")
    assert (first.code, tokens("acme"), redis.llen("events.acme")) == (0, [], 2)
    assert "until this command is given again" in first.err

    assert offboard(fleet, "--yes", "--json").data["messages"] == 2
    assert redis.exists("events.acme") == 0
    assert offboard(fleet, "--yes").err == "error: customer 'acme': is offboarded already: left\n"


def test_nobody_is_shown_a_customer_that_is_served_no_more(fleet, queued, hub, hot):
    queued("acme")
    queued("other")
    offboard(fleet, "--yes")

    assert [row["customer_id"] for row in fleet("customers", "list", "--json").data["customers"]] == ["other"]
    assert [row["customer_id"] for row in fleet("status", "--json").data["customers"]] == ["other"]
    lanes = {row["lane"]: row["customers"] for row in fleet("lanes", "--json").data["lanes"]}
    assert lanes == {"priority": 1, "standard": 0, "background": 0}
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FleetCollector(hub.overview, hot.depths, hub.clock, BacklogLimits()))
    scraped = generate_latest(registry).decode()
    assert 'customer_id="other"' in scraped
    assert "acme" not in scraped
    everybody = fleet("customers", "list", "--all", "--json").data["customers"]
    assert [(row["customer_id"], row["status"]) for row in everybody] == [("acme", "offboarded"), ("other", "active")]


@pytest.mark.slow
def test_flower_is_told_no_queue_of_a_customer_that_is_served_no_more(fleet, added, servers, start_fleet):
    added("acme")
    added("other")
    start_fleet(processors=1)
    inspect = make_app("looker", servers.broker_url, log_format="text", log_level="ERROR").control.inspect(timeout=2)

    def told():
        return {queue["name"] for queues in (inspect.active_queues() or {}).values() for queue in queues}

    wait_until(lambda: {"events.acme", "events.other"} <= told(), seconds=30, what="both queues")

    offboard(fleet, "--yes")

    wait_until(lambda: "events.other" in (names := told()) and "events.acme" not in names, seconds=10, what="one queue")


def test_a_delivery_that_was_on_its_way_does_nothing(hub, organization, servers, redis, hot):
    access = organization(users=3)
    name = hub.onboard(access).customer_id
    hub.poll(name)
    app = make_app("test", servers.broker_url, log_format="text", log_level="ERROR")
    deliveries = Deliveries(app, hot, hub.clock, hub.metrics)
    processor = Processor(
        clock=hub.clock, metrics=hub.metrics, customers=hub.customers, deliveries=deliveries,
        slice_parts=hub.slice_parts, references=hub.references, nights=hub.nights,
    )  # fmt: skip
    hub.customers.offboard(name, "left")
    hub.vault.put(name, "destination", SecretStr(access.crm_token))  # given again: its status alone keeps it away

    deliver_to(processor, name)

    assert hub.states(name) == {"pending": 3}
    assert redis.exists(f"events.{name}") == 0
    assert hub.customers.get(name).status is CustomerStatus.OFFBOARDED


def test_no_pause_and_no_sweep_serves_an_offboarded_customer_again(hub, organization):
    name = hub.onboard(organization(users=3)).customer_id
    hub.poll(name)
    now = hub.clock.now()
    assert [work.customer_id for work in hub.overview.due_work(now)] == [name]
    hub.customers.pause(name, "three runs failed", until=now - timedelta(seconds=1))
    hub.customers.offboard(name, "left")

    hub.customers.pause(name, "too many dead letters")
    hub.customers.pause(name, "three runs failed", until=now - timedelta(seconds=1))

    assert hub.customers.end_pauses(now) == []
    assert hub.overview.due_work(now) == []
    assert hub.overview.due_runs(now + timedelta(days=1)) == []
    assert hub.customers.get(name).status_reason == "left"


@pytest.mark.parametrize(
    "words", [["poll"], ["customers", "resume"], ["customers", "set", "--tier", "basic"]], ids=" ".join
)
def test_what_needs_a_served_customer_names_the_way_back(fleet, added, redis, stored, words):
    added("acme")
    offboard(fleet, "--yes")
    redis.flushdb()

    outcome = fleet(*words, "acme")

    way = "`fleet customers token acme source`, then `fleet customers token acme destination`"
    line = f"error: customer 'acme': is offboarded; back it comes by {way}, then `fleet customers resume acme`\n"
    assert (outcome.code, outcome.out, outcome.err) == (1, "", line)
    assert redis.keys("poll.*") == []
    assert stored("acme").tier == "premium"


def test_with_both_tokens_given_again_it_is_served_where_it_stopped(fleet, added, stored, redis):
    access = added("acme")
    offboard(fleet, "--yes")
    first = fleet("customers", "token", "acme", "source", stdin=access.volunteer_token)
    half = fleet("customers", "resume", "acme")
    fleet("customers", "token", "acme", "destination", stdin=access.crm_token)
    redis.delete("poll.priority")

    assert "acme is offboarded: `fleet customers resume acme`" in first.err
    assert half.code == 1
    assert "token acme destination`" in half.err
    assert "token acme source`" not in half.err
    assert fleet("customers", "resume", "acme").code == 0
    assert (stored("acme").status, redis.llen("poll.priority")) == ("active", 1)
    assert fleet("credentials", "verify", "acme").code == 0


def test_tokens_given_to_one_that_stays_away_are_deleted_by_offboarding_again(fleet, added, tokens):
    access = added("acme")
    offboard(fleet, "--yes")
    fleet("customers", "token", "acme", "source", stdin=access.volunteer_token)

    assert offboard(fleet, "--yes", "--json").data["tokens"] == ["source"]
    assert tokens("acme") == []


def test_a_page_of_a_run_that_was_under_way_goes_when_asked_again(fleet, added, read, pages):
    added("acme")
    offboard(fleet, "--yes")
    read("acme")

    assert offboard(fleet, "--yes", "--json").data["pages"] == 1
    assert pages("acme") == 0
