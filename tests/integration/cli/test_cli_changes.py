"""Changing, offboarding and looking ahead: what an operator does to a customer that is served."""

import pytest

from common.domain.customers import Lane
from common.queueing.hot_set import HotSet
from common.storage.schedule import PostgresSchedule


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

    assert set(jobs) == {"poll:users", "reconciliation"}
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
