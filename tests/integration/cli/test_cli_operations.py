import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from common.domain.clock import SystemClock
from common.storage.customers import PostgresCustomerStore

UNREACHABLE_REDIS = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def event_state(engine):
    def read(letter):
        query = (
            "SELECT e.state FROM events e JOIN dead_letters d USING (customer_id, event_id) "
            "WHERE d.dead_letter_id = :id"
        )
        with engine.connect() as connection:
            return connection.execute(text(query), {"id": letter}).scalar_one()

    return read


def test_a_paused_customer_says_why_and_a_resumed_one_is_set_to_work_at_once(fleet, added, actions, redis):
    added("acme")
    redis.flushdb()

    paused = fleet("customers", "pause", "acme", "--why", "on request", "--json")
    standing = fleet("status", "acme", "--json").data["customers"][0]
    resumed = fleet("customers", "resume", "acme", "--json")

    assert paused.data == {"customer_id": "acme", "status": "paused"}
    assert (standing["state"], standing["why"]) == ("paused", "on request")
    assert resumed.data == {"customer_id": "acme", "status": "active", "published": True}
    assert (redis.llen("poll.priority"), redis.llen("events.acme")) == (1, 1)
    assert actions("acme") == ["customer.resumed", "customer.paused", "customer.added"]


def test_a_resumed_customer_is_no_longer_parked(fleet, added, engine, redis, now):
    added("acme")
    later = now + timedelta(hours=1)
    PostgresCustomerStore(engine, SystemClock()).park("acme", later, "budget used up")
    redis.zadd("hot:priority", {"acme": later.timestamp()})

    fleet("customers", "resume", "acme")

    assert fleet("status", "acme", "--json").data["customers"][0]["state"] == "active"
    assert redis.zscore("hot:priority", "acme") <= time.time()


def test_a_pause_needs_a_reason(fleet, added):
    added("acme")

    line = "error: Missing option '--why'; see `fleet customers pause --help`\n"
    assert fleet("customers", "pause", "acme").err == line


def test_a_poll_goes_to_the_customers_lane(fleet, added, redis):
    added("acme", "--lane", "background")
    redis.flushdb()

    assert fleet("poll", "acme", "--json").data == {"customer_id": "acme", "queue": "poll.background"}
    assert redis.llen("poll.background") == 1


def test_status_gives_ages_in_seconds_and_times_in_utc(fleet, added, redis):
    added("acme")
    redis.rpush("events.acme", "x", "y")

    data = fleet("status", "--json").data

    assert datetime.fromisoformat(data["at"]).utcoffset() == timedelta(0)
    assert data["totals"]["customers"] == 1
    looked_at = data["customers"][0].pop("targets_looked_at")
    assert datetime.fromisoformat(looked_at) <= datetime.fromisoformat(data["at"])  # by `customers add`
    assert data["customers"][0] == {
        "customer_id": "acme", "tier": "premium", "lane": "priority", "state": "active", "why": "",
        "paused_until": None, "parked_until": None, "troubles": [], "reviews": None, "missing_targets": [],
        "held_deletions": None, "backfilling": [], "night": None,
        "waiting": 0, "waiting_reason": "", "waiting_until": None,
        "applying_paused": "", "held_back": "", "checkpoint": None, "checkpoint_age_seconds": None,
        "last_run_at": None, "last_run_age_seconds": None,
        "pending": 0, "submitted": 0, "oldest_pending_age_seconds": None, "queue_depth": 2, "dead_letters": 0,
    }  # fmt: skip


def test_status_works_without_redis_and_says_what_it_cannot_know(fleet, added, monkeypatch):
    added("acme")
    monkeypatch.setenv("FLEET_BROKER_URL", UNREACHABLE_REDIS)

    outcome = fleet("status")

    assert outcome.code == 0
    assert "acme" in outcome.out
    assert "Redis cannot be reached" in outcome.out


def test_events_are_counted_by_state_and_runs_are_listed(fleet, added, letter, now):
    added("acme")
    letter("acme", now)

    states = fleet("events", "acme", "--json").data["events"]

    assert (states["dead_lettered"], states["pending"]) == (1, 0)
    assert fleet("runs", "list", "acme", "--json").data == {"runs": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ["customers", "show", "nobody"],
        ["customers", "pause", "nobody", "--why", "x"],
        ["customers", "resume", "nobody"],
        ["customers", "set", "nobody", "--tier", "basic"],
        ["customers", "offboard", "nobody", "--why", "x", "--yes"],
        ["schedule", "nobody"],
        ["customers", "token", "nobody", "source"],
        ["poll", "nobody"],
        ["status", "nobody"],
        ["runs", "list", "nobody"],
        ["events", "nobody"],
        ["dlq", "list", "nobody"],
        ["dlq", "show", "nobody", "1"],
        ["dlq", "replay", "nobody", "--all"],
        ["dlq", "discard", "nobody", "1", "--why", "x"],
    ],
    ids=" ".join,
)
def test_an_unknown_customer_is_one_line(fleet, arguments):
    outcome = fleet(*arguments)

    line = "error: customer 'nobody': customer_id: there is no such customer; see `fleet customers list`\n"
    assert (outcome.code, outcome.out, outcome.err) == (1, "", line)


def test_a_database_without_our_schema_is_named_with_its_mend(fleet, monkeypatch, servers):
    other = servers.database_url.rsplit("/", 1)[0] + "/postgres"
    monkeypatch.setenv("FLEET_DATABASE_URL", other)

    outcome = fleet("status")

    assert outcome.code == 1
    assert outcome.err.endswith("has no schema of ours yet: run `fleet migrate`\n")


def test_migrating_a_new_schema_changes_nothing(fleet):
    assert fleet("migrate", "--json").data == {"schema": "newest"}


def test_an_audit_of_a_destination_that_is_behind_fails(fleet, organization, sandbox_url):
    organization(users=2)

    outcome = fleet("audit", "--sandbox", sandbox_url, "--json")

    assert (outcome.code, outcome.err) == (1, "")
    assert json.loads(outcome.out)["verdict"] == "FAIL"
    assert "FAIL" in fleet("audit", "--sandbox", sandbox_url).out.splitlines()[-1]


def test_without_a_sandbox_there_is_nothing_to_audit(fleet):
    assert fleet("audit", "--sandbox", "http://127.0.0.1:1").code == 2
    assert fleet("audit").err.startswith("error: no sandbox runs in .fleet: give --sandbox URL")
