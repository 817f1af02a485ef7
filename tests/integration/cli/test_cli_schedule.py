"""`fleet schedule` on the real table, the sound rows and the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from common.domain.events import Origin
from common.domain.runs import RunState
from common.storage.schedule import PostgresSchedule
from common.storage.tables import runs
from poller.sources.registry import SOURCES


@pytest.fixture
def ended(engine):
    """Runs that are over, in some way: of every resource, the last of them at `at`."""

    def put(customer_id, origin, at, state=RunState.COMPLETED):
        with engine.begin() as connection:
            for resource in SOURCES["volunteer"].resources:
                row = {
                    "customer_id": customer_id, "run_id": f"{origin}-{at:%M%S}-{state}-{resource}", "origin": origin,
                    "resource": resource, "trace_id": "t", "state": state, "started_at": at, "finished_at": at,
                }  # fmt: skip
                connection.execute(runs.insert().values(row))

    return put


def test_each_job_tells_its_next_moment_and_its_own_last_run(fleet, added, ended):
    added("acme", "--time-zone", "America/New_York", "--poll-interval-seconds", "90")
    now = datetime.now(UTC).replace(microsecond=0)
    ended("acme", Origin.BACKFILL, now - timedelta(days=9))
    ended("acme", Origin.POLL, now - timedelta(minutes=2))
    ended("acme", Origin.POLL, now - timedelta(minutes=1), RunState.FAILED)

    data = fleet("schedule", "acme", "--json").data

    poll, reconciliation, full = data["jobs"]
    assert (poll["job"], poll["layer"], poll["lane"], poll["every_seconds"]) == ("poll", "poll", "priority", 90)
    assert now < datetime.fromisoformat(poll["next_at"]) <= datetime.now(UTC) + timedelta(seconds=90)
    assert poll["last_run_at"] == (now - timedelta(minutes=2)).isoformat()
    assert [reconciliation[name] for name in ("daily_at", "weekday", "last_run_at")] == ["03:00", None, None]
    assert (full["layer"], full["resources"], full["daily_at"]) == ("full", ["users", "projects"], "03:00")
    assert datetime.fromisoformat(full["next_local"].split()[0]).strftime("%A") == full["weekday"]
    assert reconciliation["next_local"].split()[1] >= "03:00:00"
    assert reconciliation["next_local"].split()[1] < "04:00:00"


def test_a_person_sees_whole_moments_in_a_hundred_columns(fleet, added, ended):
    added("acme", "--time-zone", "Europe/Berlin", "--poll-interval-seconds", "90")
    ended("acme", Origin.POLL, datetime.now(UTC) - timedelta(minutes=3, seconds=1))

    out = fleet("schedule", "acme").out

    assert all(words in out for words in ("every 90 s", "daily 03:00", "3m ago", "never", " CE"))
    assert "…" not in out


@pytest.mark.parametrize("command", ["pause", "offboard"])
def test_of_one_that_is_not_served_it_says_why_nothing_is_scheduled(fleet, added, command):
    added("acme")
    fleet("customers", command, "acme", "--why", "on request", *(["--yes"] if command == "offboard" else []))
    status = {"pause": "paused", "offboard": "offboarded"}[command]

    data = fleet("schedule", "acme", "--json").data

    assert (data["status"], data["why"], data["jobs"]) == (status, "on request", [])
    assert fleet("schedule", "acme").out == f"acme is {status}: nothing is scheduled (on request)\n"
    assert sum(lane["customers"] for lane in fleet("schedule", "--json").data["lanes"]) == 0


def test_a_pause_that_ends_by_itself_tells_when(fleet, added, hub):
    added("acme")
    hub.customers.pause("acme", "three runs failed", until=datetime(2031, 1, 2, tzinfo=UTC))

    assert "acme is paused until 2031-01-02 00:00:00Z" in fleet("schedule", "acme").out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("time_zone = 'Mars/Base'", "No time zone found with key Mars/Base"),
        ("source = 'sorcery'", "'sorcery' is none of volunteer"),
        ("""cadences = '{"users": -5}'""", "poll:users: a period of -5 s"),
        ("""cadences = '{"users": 0}'""", "poll:users: a period of 0 s"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_and_hides_nobody_else(fleet, added, engine, change, words):
    added("acme")
    added("other")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE customers SET {change} WHERE customer_id = 'acme'"))

    whole, one = fleet("schedule"), fleet("schedule", "acme")

    assert (whole.code, whole.err.count("\n")) == (0, 1)
    assert whole.err.startswith("note: acme cannot be scheduled: ")
    assert words in whole.err
    assert [lane["customers"] for lane in fleet("schedule", "--json").data["lanes"]] == [1, 0, 0]
    assert (one.code, one.out, one.err.count("\n")) == (1, "", 1)
    assert words in one.err


def test_a_row_that_makes_no_sense_does_not_matter_while_its_customer_is_paused(fleet, added, engine):
    added("acme")
    fleet("customers", "pause", "acme", "--why", "newer machines know it")
    with engine.begin() as connection:
        connection.execute(text("UPDATE customers SET source = 'sorcery'"))

    assert fleet("schedule").err == ""
    assert fleet("schedule", "acme").out == "acme is paused: nothing is scheduled (newer machines know it)\n"


@pytest.mark.parametrize(
    ("age", "leads", "words"), [(2, True, "a beat leads"), (16, False, "no beat leads"), (-60, True, "a beat leads")]
)
def test_a_beat_leads_while_it_notes_how_far_it_is(fleet, added, hub, age, leads, words):
    PostgresSchedule(hub.engine).note_published(hub.clock.now() - timedelta(seconds=age))

    told, shown = fleet("schedule", "--json"), fleet("schedule")

    assert (told.data["beat_leads"], shown.code) == (leads, 0)
    assert words in shown.out
