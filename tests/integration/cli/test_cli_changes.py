"""Changing, offboarding and looking ahead: what an operator does to a customer that is served."""

import pytest

from common.domain.customers import Lane
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.storage.schedule import PostgresSchedule

UNREACHABLE_REDIS = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def hot(redis):
    return HotSet(redis)


def test_a_change_of_tier_takes_the_queued_work_along_and_loses_nothing(fleet, added, stored, actions, hot, redis):
    added("acme")
    redis.lpush("events.acme", b"{}", b"{}")
    hot.add(Lane.PRIORITY, "acme")
    outcome = fleet("customers", "set", "acme", "--tier", "basic", "--json")

    assert outcome.data["changes"] == {
        "tier": {"before": "premium", "after": "basic"}, "lane": {"before": "priority", "after": "background"},
    }  # fmt: skip
    assert (stored("acme").tier, stored("acme").lane) == ("basic", "background")
    assert (hot.size(Lane.PRIORITY), hot.size(Lane.BACKGROUND), redis.llen("events.acme")) == (0, 1, 2)
    assert actions("acme")[0] == "customer.changed"


def test_every_setting_can_be_changed_and_set_back(fleet, added, stored):
    added("acme")
    fleet("customers", "set", "acme", "--cadence", "users=60", "--mode", "nightly", "--time-zone", "Europe/Berlin",
          "--poll-interval-seconds", 90, "--name", "Other")  # fmt: skip
    row = stored("acme")
    assert (row.cadences, row.mode, row.time_zone) == ({"users": 60}, "nightly", "Europe/Berlin")
    assert (row.poll_interval_seconds, row.name) == (90, "Other")

    outcome = fleet("customers", "set", "acme", "--no-cadences", "--mode", "continuous", "--poll-interval-seconds", 0)
    row = stored("acme")
    assert (outcome.code, row.cadences, row.mode, row.poll_interval_seconds) == (0, {}, "continuous", None)
    assert "its tier's" in outcome.out


def test_a_dry_run_shows_the_change_and_makes_none(fleet, added, stored, actions):
    added("acme")
    before = stored("acme")
    outcome = fleet("customers", "set", "acme", "--tier", "basic", "--dry-run")

    assert "WOULD CHANGE" in outcome.out
    assert stored("acme") == before
    assert "customer.changed" not in actions("acme")


def test_a_change_keeps_the_customers_place_in_the_line(fleet, added, hot, redis):
    added("acme")
    redis.lpush("events.acme", b"{}")
    redis.zadd("hot:priority", {"acme": 1234.5})

    fleet("customers", "set", "acme", "--tier", "standard")

    assert (hot.members(Lane.PRIORITY), hot.members(Lane.STANDARD)) == ({}, {"acme": 1234.5})


def test_a_change_raises_the_revision_that_beats_read_and_a_dry_run_does_not(fleet, added, hub):
    added("acme")
    before = hub.customers.revision()

    fleet("customers", "set", "acme", "--every", "90", "--dry-run")
    assert hub.customers.revision() == before

    fleet("customers", "set", "acme", "--every", "90")
    assert [each.poll_interval_seconds for each in hub.customers.changed_since(before)] == [90]


def test_a_change_is_stored_without_redis_and_the_sweep_brings_the_work_along(
    fleet, added, stored, hub, hot, redis, monkeypatch
):
    added("acme")
    redis.lpush("events.acme", b"{}")
    hot.add(Lane.PRIORITY, "acme")
    with monkeypatch.context() as away:
        away.setenv("FLEET_BROKER_URL", UNREACHABLE_REDIS)
        outcome = fleet("customers", "set", "acme", "--tier", "basic")
        renamed = fleet("customers", "set", "acme", "--name", "Other")

    assert (outcome.code, stored("acme").lane) == (0, "background")
    assert outcome.err.count("\n") == 1
    assert "the sweep takes its queued work to the new lane" in outcome.err
    assert renamed.err == ""

    deliveries = Deliveries(None, hot, hub.clock, hub.metrics)
    deliveries.repair({each.customer_id: each.lane for each in hub.customers.served()})
    assert (hot.size(Lane.PRIORITY), hot.size(Lane.BACKGROUND), redis.llen("events.acme")) == (0, 1, 1)


def test_a_setting_that_is_missing_is_named_before_anything_is_stored(fleet, added, stored, monkeypatch):
    added("acme")
    monkeypatch.delenv("FLEET_BROKER_URL")

    outcome = fleet("customers", "set", "acme", "--tier", "basic")

    assert (outcome.code, stored("acme").tier) == (1, "premium")
    assert outcome.err.startswith("error: FLEET_BROKER_URL is not set")
    assert fleet("customers", "set", "acme", "--name", "Other").code == 0


def test_all_mistakes_of_a_change_are_named_at_once(fleet, added):
    added("acme")

    outcome = fleet("customers", "set", "acme", "--tier", "gold", "--every", "often", "--time-zone", "Mars",
                    "--cadence", "user=60", "--cadence", "users=100000", "--name", "")  # fmt: skip

    fields = {line.split(": ")[2] for line in outcome.err.splitlines()}
    assert fields == {"tier", "poll_interval_seconds", "time_zone", "cadences.user", "cadences.users", "name"}


def test_cadences_and_none_of_them_cannot_both_be_meant(fleet):
    outcome = fleet("customers", "set", "acme", "--cadence", "users=60", "--no-cadences")

    assert (outcome.code, outcome.err) == (2, "error: give either --cadence or --no-cadences\n")


def test_a_customer_is_added_with_its_mode_and_cadences(fleet, added, stored):
    added("acme", "--cadence", "users=60", "--mode", "nightly")

    assert (stored("acme").cadences, stored("acme").mode) == ({"users": 60}, "nightly")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mode", "weekly"], "mode: input should be 'continuous' or 'nightly'"),
        (["--cadence", "user=60"], "cadences.user: is no resource of its source; did you mean users?"),
        (["--cadence", "users=0"], "cadences.users: is no number of seconds above 0"),
        (["--poll-interval-seconds", "86401"], "poll_interval_seconds: is longer than a day (86400 s)"),
    ],
)
def test_a_new_customer_is_refused_what_a_change_is_refused(fleet, adding, organization, stored, options, words):
    arguments, tokens = adding
    access = organization(users=1)

    outcome = fleet(*arguments("acme", access), *options, stdin=tokens(access))

    assert (outcome.code, outcome.err) == (1, f"error: customer 'acme': {words}\n")
    assert stored("acme") is None


def test_what_is_like_that_already_is_no_change(fleet, added, actions):
    added("acme")

    assert "nothing to change" in fleet("customers", "set", "acme", "--tier", "premium").out
    assert "customer.changed" not in actions("acme")


@pytest.mark.parametrize(
    ("options", "field", "mend"),
    [
        (["--tier", "premum"], "tier", "did you mean premium?"),
        (["--mode", "weekly"], "mode", "continuous, nightly"),
        (["--cadence", "user=60"], "cadences.user", "did you mean users?"),
        (["--cadence", "users=often"], "cadences.users", "number of seconds"),
        (["--time-zone", "Mars"], "time_zone", "not a time zone"),
    ],
)
def test_a_bad_value_names_customer_field_and_mend_and_changes_nothing(fleet, added, stored, options, field, mend):
    added("acme")
    before = stored("acme")
    outcome = fleet("customers", "set", "acme", *options)

    assert outcome.code == 1
    (line,) = outcome.err.splitlines()
    assert all(word in line for word in ("acme", field, mend))
    assert stored("acme") == before


def test_offboarding_deletes_tokens_and_queue_and_keeps_the_history(fleet, added, stored, actions, hot, redis):
    added("acme")
    redis.lpush("events.acme", b"{}", b"{}")
    hot.add(Lane.PRIORITY, "acme")
    outcome = fleet("customers", "offboard", "acme", "--why", "left", "--yes", "--json")

    assert (outcome.data["tokens"], outcome.data["messages"]) == (["source", "destination"], 2)
    assert stored("acme").status == "offboarded"
    assert (redis.exists("events.acme"), hot.size(Lane.PRIORITY)) == (0, 0)
    assert actions("acme")[0] == "customer.offboarded"
    assert fleet("customers", "list", "--json").data["customers"] == []
    assert [c["customer_id"] for c in fleet("customers", "list", "--all", "--json").data["customers"]] == ["acme"]
    assert fleet("status", "--json").data["customers"] == []


def test_a_dry_run_of_offboarding_says_what_would_go_and_lets_it_stay(fleet, added, stored, redis):
    added("acme")
    redis.lpush("events.acme", b"{}")
    outcome = fleet("customers", "offboard", "acme", "--why", "left", "--dry-run")

    assert "would go: tokens (source, destination), messages on its queue (1)" in " ".join(outcome.out.split())
    assert (stored("acme").status, redis.llen("events.acme")) == ("active", 1)


def test_offboarding_asks_and_refuses_where_nobody_can_be_asked(fleet, added, stored):
    added("acme")
    outcome = fleet("customers", "offboard", "acme", "--why", "left", stdin="acme\n")

    assert (outcome.code, stored("acme").status) == (2, "active")
    assert "--yes" in outcome.err


def test_who_was_offboarded_comes_back_with_new_tokens_only(fleet, added, stored):
    access = added("acme")
    fleet("customers", "offboard", "acme", "--why", "left", "--yes")
    refused = [fleet(*words) for words in (["customers", "resume", "acme"], ["poll", "acme"],
                                           ["customers", "set", "acme", "--tier", "basic"],
                                           ["customers", "pause", "acme", "--why", "x"])]  # fmt: skip
    assert [outcome.code for outcome in refused] == [1, 1, 1, 1]
    assert "fleet customers token acme source" in refused[0].err

    fleet("customers", "token", "acme", "source", stdin=f"{access.volunteer_token}\n")
    fleet("customers", "token", "acme", "destination", stdin=f"{access.crm_token}\n")
    assert fleet("customers", "resume", "acme").code == 0
    assert stored("acme").status == "active"


def test_the_schedule_of_a_customer_tells_each_job_and_its_next_moment(fleet, added, engine):
    added("acme", "--time-zone", "Europe/Berlin")
    fleet("customers", "set", "acme", "--cadence", "users=60")
    jobs = {job["job"]: job for job in fleet("schedule", "acme", "--json").data["jobs"]}

    assert set(jobs) == {"poll", "poll:users", "reconciliation", "full"}
    assert (jobs["poll:users"]["every_seconds"], jobs["reconciliation"]["daily_at"]) == (60, "03:00")
    assert jobs["reconciliation"]["next_local"].endswith(("CET", "CEST"))
    assert fleet("schedule", "acme").out.count("Berlin") == 0


def test_a_paused_customer_has_no_schedule_and_it_is_said_why(fleet, added):
    added("acme")
    fleet("customers", "pause", "acme", "--why", "audit")

    assert "nothing is scheduled (audit)" in " ".join(fleet("schedule", "acme").out.split())


def test_the_schedule_of_all_tells_each_lanes_load_and_whether_a_beat_leads(fleet, added, hub):
    added("acme")
    nobody = fleet("schedule")
    assert "no beat has ever led" in nobody.out
    PostgresSchedule(hub.engine).note_published(hub.clock.now())
    data = fleet("schedule", "--json").data

    priority = next(lane for lane in data["lanes"] if lane["lane"] == "priority")
    assert (data["beat_leads"], priority["customers"]) == (True, 1)
    assert 12 <= priority["turns_per_minute"] * 60 <= 13
