"""Of several beats one leads; when it is killed another takes over, and nobody is polled twice or left out for it."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from redis import Redis
from sqlalchemy import text
from support.builders import a_customer
from support.waiting import wait_until

from common.config.settings import Settings
from common.domain.clock import ManualClock
from common.domain.customers import Lane, Mode, Tier
from common.domain.layers import Layer
from common.queueing.asked import Asked
from common.queueing.celery_app import make_app
from common.queueing.deliveries import Deliveries
from common.queueing.hot_set import HotSet
from common.queueing.polls import Polls
from common.storage.schedule import PostgresSchedule
from deploy.local.child import ProcessSpec
from deploy.local.topology import beat_argv
from poller import runs
from poller.schedule import publishing
from poller.schedule.phase import phase_fraction
from poller.schedule.publishing import Publisher
from poller.schedule.scheduler import Beat
from poller.schedule.timetable import timetable_of
from poller.sources import registry
from poller.sweep import ask_for_runs, sweep
from poller.tasks import poll_customer

START = datetime(2026, 3, 28, 12, tzinfo=UTC)


class Published:
    """Stands where Celery does: remembers what was published, and fails when told."""

    def __init__(self):
        self.polls = []
        self.fails_after = None

    def publish(self, customer_id, lane, *, layer=Layer.POLL, resources=None, expires_seconds=None, **_options):
        if self.fails_after is not None and len(self.polls) >= self.fails_after:
            raise OSError("the broker is away")
        self.polls.append((customer_id, layer, lane, resources))

    def producer(self):
        return Redis.from_url("redis://unused").pipeline()  # any context manager: nothing of it is used

    def counts(self):
        return Counter(customer_id for customer_id, *_ in self.polls)


@pytest.fixture
def rig(hub):
    return Rig(hub)


class Rig:
    """A beat's inside on the real database, with time by hand."""

    def __init__(self, hub):
        self.hub, self.clock, self.out = hub, ManualClock(START), Published()
        self.polls, self.customers = self.out, hub.customers
        self.schedule = PostgresSchedule(hub.engine)

    def resources(self, _customer):
        return ("users",)

    def lead(self):
        return Publisher(self, timetable_of(Settings(_env_file=None)))

    def run(self, beat, seconds, *, step=0.5):
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            beat.publish()

    def add(self, customer_id, **changes):
        self.customers.add(a_customer(customer_id, **{"tier": Tier.PREMIUM, "lane": Lane.PRIORITY, **changes}))


def test_a_leader_publishes_each_customer_once_a_period(rig):
    for number in range(20):
        rig.add(f"c{number}")
    rig.run(rig.lead(), 900)

    assert rig.out.counts() == dict.fromkeys([f"c{n}" for n in range(20)], 3)


def test_a_successor_makes_up_for_what_came_due_while_nobody_led(rig):
    names = [f"c{number}" for number in range(20)]
    for name in names:
        rig.add(name)
    rig.run(rig.lead(), 300)
    rig.clock.advance(60)  # killed; the lock is free at once, but its successor takes a while
    rig.run(rig.lead(), 900 - 360)

    assert rig.out.counts() == dict.fromkeys(names, 3)


def test_a_broker_that_is_away_loses_nobody_a_turn(rig):
    for number in range(20):
        rig.add(f"c{number}")
    beat = rig.lead()
    rig.run(beat, 150)
    rig.out.fails_after = len(rig.out.polls) + 1
    for _ in range(60):
        rig.clock.advance(0.5)
        try:
            beat.publish()
        except OSError:
            continue
    rig.out.fails_after = None
    rig.run(beat, 120)

    assert rig.out.counts() == dict.fromkeys([f"c{n}" for n in range(20)], 1)


def test_an_added_changed_paused_and_returned_customer_counts_within_two_seconds(rig):
    beat = rig.lead()
    rig.run(beat, 5)
    rig.add("acme", poll_interval_seconds=1)
    rig.run(beat, 4)
    assert rig.out.counts()["acme"] >= 2

    customer = rig.customers.get("acme")
    rig.customers.change(replace(customer, tier=Tier.BASIC, lane=Lane.BACKGROUND))
    rig.run(beat, 2)
    rig.out.polls.clear()
    rig.run(beat, 3)
    assert {lane for _, _, lane, _ in rig.out.polls} == {Lane.BACKGROUND}

    rig.customers.pause("acme", "by hand")
    rig.run(beat, 2)
    rig.out.polls.clear()
    rig.run(beat, 5)
    assert rig.out.polls == []

    rig.customers.resume("acme")
    rig.run(beat, 4)
    assert rig.out.counts()["acme"] >= 2


def test_parking_is_no_change_that_a_beat_must_read(rig):
    rig.add("acme")
    before = rig.customers.revision()
    rig.customers.park("acme", START + timedelta(hours=1), "429")

    assert rig.customers.revision() == before


def test_a_change_by_hand_in_the_table_counts_too(rig):
    rig.add("acme")
    before = rig.customers.revision()
    with rig.hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE customers SET tier = 'basic', lane = 'background'")

    (changed,) = rig.customers.changed_since(before)
    assert (changed.customer_id, changed.lane, rig.customers.revision()) == ("acme", Lane.BACKGROUND, before + 1)


def test_resources_with_a_cadence_of_their_own_are_polled_apart(rig):
    rig.resources = lambda _customer: ("users", "projects", "groups")
    rig.add("acme", poll_interval_seconds=600, cadences={"projects": 60})
    rig.run(rig.lead(), 600)

    assert Counter(resources for _, _, _, resources in rig.out.polls) == {("projects",): 10, ("users", "groups"): 1}


@pytest.fixture
def seldom(monkeypatch):
    """For days on end: neither the revision nor the mark is looked at each second."""
    monkeypatch.setattr(publishing, "RELOAD_SECONDS", 1e9)
    monkeypatch.setattr(publishing, "NOTE_SECONDS", 1e9)


def test_a_nightly_customer_is_polled_once_a_night_and_reconciliation_comes_once_a_day(rig, seldom):
    """Over a week with the start of summer time in Berlin and none in Phoenix."""
    rig.add("night", mode=Mode.NIGHTLY, time_zone="Europe/Berlin")
    rig.add("day", poll_interval_seconds=86_400, time_zone="America/Phoenix")
    rig.run(rig.lead(), 7 * 86_400, step=5.0)

    assert Counter((customer_id, layer) for customer_id, layer, *_ in rig.out.polls) == {
        ("night", Layer.NIGHTLY): 7, ("day", Layer.POLL): 7, ("day", Layer.RECONCILIATION): 7,
        ("night", Layer.FULL): 1, ("day", Layer.FULL): 1,
    }  # fmt: skip


def test_two_leaders_by_mistake_take_a_slot_once(rig, seldom):
    rig.add("night", mode=Mode.NIGHTLY)
    beats = [rig.lead(), rig.lead()]
    for _ in range(24 * 720):
        rig.clock.advance(5.0)
        for beat in beats:
            beat.publish()

    assert rig.out.counts() == {"night": 1}


def test_a_slot_is_never_claimed_for_an_earlier_date(rig):
    rig.add("acme")
    claim = lambda day: rig.schedule.claim_slot("acme", Layer.RECONCILIATION, day, ["users"], START)  # noqa: E731

    assert [claim(date(2026, 1, n)) for n in (2, 2, 1, 3)] == [True, False, False, True]


def test_a_slot_whose_message_is_lost_is_asked_for_by_the_sweep_until_a_worker_took_it(rig, redis):
    rig.add("acme")
    rig.schedule.claim_slot("acme", Layer.RECONCILIATION, date(2026, 1, 2), ["users"], START)
    app = make_app("t", rig.hub.servers.broker_url, log_format="text", log_level="ERROR")
    due = rig.hub.overview.due_runs(START)
    assert [(run.customer_id, run.layer, run.resources) for run in due] == [("acme", Layer.RECONCILIATION, ("users",))]

    assert ask_for_runs(due, Polls(app), Asked(redis)) == 1
    assert ask_for_runs(due, Polls(app), Asked(redis)) == 0
    app.close()
    assert redis.llen("poll.priority") == 1
    start = rig.hub.run_parts.store.start_run(
        customer_id="acme", resource="users", layer=Layer.RECONCILIATION, run_id="r", trace_id="t", now=START
    )
    assert start.progress.origin == "reconciliation"
    assert rig.hub.overview.due_runs(START) == []


def test_a_run_left_by_a_killed_worker_is_asked_for_again(rig):
    rig.add("acme")
    rig.hub.run_parts.store.start_run(customer_id="acme", resource="users", run_id="r", trace_id="t", now=START)

    assert rig.hub.overview.due_runs(START + timedelta(minutes=4)) == []
    (due,) = rig.hub.overview.due_runs(START + timedelta(minutes=6))
    assert (due.layer, due.resources) == (Layer.POLL, ("users",))


def slot_of(customer_id, layer, hour):
    spread = timedelta(seconds=phase_fraction(customer_id, layer) * 3600)
    return START.replace(hour=hour) + spread


def test_a_customer_paused_in_the_second_of_its_slot_keeps_nobody_from_being_polled(rig):
    rig.add("acme")
    rig.add("night", mode=Mode.NIGHTLY)
    rig.clock.advance((slot_of("night", Layer.NIGHTLY, 22) - START).total_seconds() - 0.3)
    beat = rig.lead()
    rig.customers.pause("night", "by hand")
    rig.run(beat, 360, step=0.6)

    assert rig.out.counts().keys() == {"acme"}
    assert rig.out.counts()["acme"] >= 1


@pytest.mark.parametrize(
    ("column", "value"), [("time_zone", "Mars/Olympus"), ("source", "nosuch"), ("cadences", '{"users": 0}')]
)
def test_a_row_that_makes_no_sense_keeps_nobody_else_from_being_polled(rig, column, value):
    rig.resources = registry.resources
    rig.add("acme")
    rig.add("bad")
    beat = rig.lead()
    with rig.hub.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE customers SET {column} = %s WHERE customer_id = 'bad'", (value,))
    rig.run(beat, 310)
    rig.run(rig.lead(), 310)

    assert rig.out.counts() == {"acme": 2}


def test_a_leader_killed_while_it_catches_up_leaves_no_slot_out(rig, monkeypatch):
    nightly = {f"n{number}" for number in range(40)}
    for customer_id in nightly:
        rig.add(customer_id, mode=Mode.NIGHTLY)
    rig.run(rig.lead(), 3)
    rig.clock.advance(12 * 3600)  # nobody leads at the slots
    rig.run(rig.lead(), 10)
    assert len(rig.out.polls) < len(nightly)
    rig.clock.advance(2)
    rig.run(rig.lead(), 400)

    assert rig.out.counts() == dict.fromkeys(nightly, 1)


def test_a_slot_that_is_owed_is_made_up_though_its_customer_is_changed(rig):
    rig.add("night", mode=Mode.NIGHTLY)
    rig.run(rig.lead(), 3)
    rig.clock.advance(12 * 3600)
    beat = rig.lead()
    rig.customers.change(replace(rig.customers.get("night"), tier=Tier.BASIC, lane=Lane.BACKGROUND))
    rig.run(beat, 700)

    assert [(customer_id, lane) for customer_id, _, lane, _ in rig.out.polls] == [("night", Lane.BACKGROUND)]


def test_of_two_messages_for_a_slot_the_second_reads_nothing(rig, organization):
    """The beat's own, and the sweep's for a resource that waits behind another of the first message."""
    access = organization(users=2)
    customer = rig.hub.onboard(access)
    rig.schedule.claim_slot(access.name, Layer.RECONCILIATION, date(2026, 1, 2), ["users"], datetime.now(tz=UTC))
    own = {"run_parts": rig.hub.run_parts, "plans": rig.hub.plans}
    parts = SimpleNamespace(customers=rig.customers, resources=lambda _: ("users",), **own)
    for _ in range(2):
        poll_customer(parts, customer.customer_id, Layer.RECONCILIATION, ["users"])

    assert [run.origin for run in rig.hub.overview.runs(access.name)] == ["reconciliation"]


def test_a_poll_by_hand_reads_resources_with_a_cadence_of_their_own_too(rig, monkeypatch):
    rig.add("acme", cadences={"projects": 3600})
    seen = []
    monkeypatch.setattr(runs, "run", lambda _parts, _customer, resource, _layer, **_: seen.append(resource))
    own = {"run_parts": rig.hub.run_parts, "plans": rig.hub.plans}
    poll_customer(SimpleNamespace(customers=rig.customers, resources=lambda _: ("users", "projects"), **own), "acme")

    assert seen == ["users", "projects"]


@pytest.mark.slow
def test_one_beat_leads_and_a_killed_leader_is_replaced(hub, organization, sandbox, start_fleet):
    access = organization(users=2)
    hub.onboard(access, visibility_seconds=1)
    fleet = start_fleet(processors=1)
    second = second_beat(fleet)
    wait_until(lambda: leaders(fleet), seconds=20, what="a leader")
    wait_until(lambda: "beat: Starting" in fleet.log("beat2"), seconds=20, what="the second beat")
    assert len(leaders(fleet)) == 1

    (first,) = leaders(fleet)
    before = len(hub.overview.runs(access.name, 1000))
    os.kill(fleet.pid(first), signal.SIGKILL)
    wait_until(lambda: len(leaders(fleet)) >= 2, seconds=15, what="another leader")
    wait_until(lambda: len(hub.overview.runs(access.name, 1000)) > before + 2, seconds=20, what="polls that go on")
    assert second.name == "beat2"


@pytest.mark.slow
def test_a_leader_that_is_stopped_keeps_its_lead_and_bunches_nobody_up_when_it_goes_on(hub, organization, start_fleet):
    """Its lock is held as long as it lives: nobody else publishes, and a supervisor that finds it hung kills it."""
    access = organization(users=2)
    hub.onboard(access, visibility_seconds=1)
    fleet = start_fleet(processors=1)
    second_beat(fleet)
    wait_until(lambda: leaders(fleet), seconds=20, what="a leader")
    (first,) = leaders(fleet)
    wait_until(lambda: hub.overview.runs(access.name), seconds=20, what="its first run")
    os.kill(fleet.pid(first), signal.SIGSTOP)
    wait_until(lambda: stands_still(hub, access.name), seconds=20, what="no more runs")
    before = len(hub.overview.runs(access.name, 1000))
    os.kill(fleet.pid(first), signal.SIGCONT)

    wait_until(lambda: len(hub.overview.runs(access.name, 1000)) > before + 1, seconds=20, what="polls that go on")
    assert len(leaders(fleet)) == 1


@pytest.mark.slow
def test_an_added_and_a_paused_customer_count_within_seconds_without_a_restart(hub, organization, start_fleet):
    start_fleet(processors=1)
    access = organization(users=2)
    hub.onboard(access, visibility_seconds=1)
    wait_until(lambda: hub.overview.runs(access.name), seconds=20, what="its first run")

    hub.customers.pause(access.name, "by hand")
    wait_until(lambda: stands_still(hub, access.name), seconds=20, what="no more runs")


def stands_still(hub, name) -> bool:
    """No run for as long as three of its turns take."""
    runs = hub.overview.runs(name, 1000)
    return (hub.clock.now() - runs[0].started_at).total_seconds() > 3.5


def leaders(fleet) -> list[str]:
    return [name for name in ("beat", "beat2") if "this beat leads" in fleet.log(name)]


def second_beat(fleet) -> ProcessSpec:
    first = next(w.child.spec for w in fleet.supervisor._watched if w.child.spec.name == "beat")
    spec = ProcessSpec(
        name="beat2", argv=beat_argv("INFO"), env=first.env, log_path=fleet.state_dir / "logs" / "beat2.log"
    )
    fleet.supervisor.start(spec)
    return spec


def test_after_an_hour_without_a_broker_everybody_is_polled_once_and_not_at_once(rig, seldom):
    for number in range(100):
        rig.add(f"c{number}")
    beat = rig.lead()
    rig.run(beat, 1)
    rig.out.fails_after = len(rig.out.polls)
    for _ in range(720):
        rig.clock.advance(5.0)
        with suppress(OSError):
            beat.publish()
    rig.out.fails_after, before = None, len(rig.out.polls)
    rig.run(beat, 0.5)
    assert len(rig.out.polls) - before < 20
    rig.run(beat, 310)

    assert {rig.out.counts()[f"c{n}"] for n in range(100)} <= {1, 2, 3}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("time_zone", "America"),
        ("cadences", '{"users": "300"}'),
        ("cadences", '["users"]'),
        ("cadences", '{"users": 0.1}'),
    ],
)
def test_whatever_a_row_written_by_hand_holds_it_costs_its_own_customer_alone(rig, column, value):
    rig.add("acme")
    rig.add("bad")
    with rig.hub.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE customers SET {column} = %s WHERE customer_id = 'bad'", (value,))
    rig.run(rig.lead(), 310)

    assert rig.out.counts() == {"acme": 1}


def test_a_customer_that_is_changed_while_the_leader_is_stopped_keeps_its_slot(rig):
    rig.add("night", mode=Mode.NIGHTLY)
    rig.clock.advance((slot_of("night", Layer.NIGHTLY, 22) - START).total_seconds() - 1800)
    beat = rig.lead()
    rig.run(beat, 2)
    rig.clock.advance(2 * 3600)
    rig.customers.change(replace(rig.customers.get("night"), tier=Tier.BASIC, lane=Lane.BACKGROUND))
    rig.run(beat, 320)

    assert rig.out.counts() == {"night": 1}


def test_a_clock_that_is_set_back_keeps_nobody_waiting_until_it_is_where_it_was(rig):
    for number in range(10):
        rig.add(f"c{number}")
    beat = rig.lead()
    rig.clock.advance(86_400)
    rig.run(beat, 2)
    rig.clock.advance(-86_400)
    rig.out.polls.clear()
    rig.run(beat, 310)

    assert set(rig.out.counts()) == {f"c{n}" for n in range(10)}


def test_a_slot_runs_on_every_date_and_a_run_that_ended_is_not_due(rig, organization):
    """What a run leaves behind when it ends must not look like one that is under way."""
    access = organization(users=2)
    customer = rig.hub.onboard(access)
    rig.hub.poll(access.name)
    states = []
    for day in (1, 2, 3):
        now = rig.hub.clock.now()
        rig.schedule.claim_slot(access.name, Layer.RECONCILIATION, date(2026, 1, day), ["users"], now)
        states.append(runs.run(rig.hub.run_parts, customer, "users", Layer.RECONCILIATION, only_if_due=True))

    assert states == ["completed"] * 3
    assert rig.hub.overview.due_runs(rig.hub.clock.now() + timedelta(hours=1)) == []


def test_the_sweep_asks_once_for_a_run_that_is_due_and_that_nobody_does(rig, redis):
    rig.add("acme")
    rig.schedule.claim_slot("acme", Layer.RECONCILIATION, date(2026, 1, 2), ["users"], START)
    app = make_app("t", rig.hub.servers.broker_url, log_format="text", log_level="ERROR")
    deliveries = Deliveries(app, HotSet(redis), rig.clock, rig.hub.metrics)
    for _ in range(2):
        sweep(rig.hub.overview, deliveries, Polls(app), Asked(redis), rig.clock)

    assert redis.llen("poll.priority") == 1
    app.close()


def test_the_sweep_adds_no_polls_to_a_lane_that_nobody_serves(rig, redis, monkeypatch):
    monkeypatch.setattr("poller.sweep.MOST_WAITING_POLLS", 3)
    rig.add("acme")
    rig.schedule.claim_slot("acme", Layer.RECONCILIATION, date(2026, 1, 2), ["users"], START)
    redis.lpush("poll.priority", *["waiting"] * 4)
    app = make_app("t", rig.hub.servers.broker_url, log_format="text", log_level="ERROR")

    assert ask_for_runs(rig.hub.overview.due_runs(START), Polls(app), Asked(redis)) == 0
    redis.delete("poll.priority")
    assert ask_for_runs(rig.hub.overview.due_runs(START), Polls(app), Asked(redis)) == 1
    app.close()


def test_a_poll_of_the_schedule_waits_once_however_many_turns_pass_and_again_after_it_was_taken(hub, redis):
    """Were each turn to add one, or the waiting one to expire, a busy fleet would serve short cadences least."""
    app = make_app("test", hub.servers.broker_url, log_format="json", log_level="INFO")
    polls = Polls(app, Asked(redis))
    turn = {"expires_seconds": 120, "once": True}
    for _ in range(3):
        polls.publish("acme", Lane.PRIORITY, **turn)
        polls.publish("acme", Lane.PRIORITY, resources=["users"], **turn)
    assert redis.llen("poll.priority") == 2

    polls.taken("acme", Layer.POLL, None)
    polls.publish("acme", Lane.PRIORITY, **turn)
    polls.publish("acme", Lane.PRIORITY)
    app.close()
    assert redis.llen("poll.priority") == 4


def test_one_sweep_waits_however_long_no_worker_comes_to_it_and_never_expires(rig, redis):
    """Were they to queue up and expire, workers who take them slower than they come would meet expired ones only."""
    rig.locks, rig.asked = rig.hub.locks, Asked(redis)
    app = make_app("t", rig.hub.servers.broker_url, log_format="text", log_level="ERROR")
    beat = Beat(Settings(_env_file=None), rig, app)
    for _ in range(5):
        beat.tick()
        rig.clock.advance(60)
    waiting = redis.lrange("sweep", 0, -1)
    redis.delete("sweep")  # taken
    beat.tick()
    beat.resign()
    app.close()

    assert [json.loads(message)["headers"]["expires"] for message in waiting] == [None]
    assert redis.llen("sweep") == 1


class Swift:
    """A broker whose worker takes a message before its publisher has gone on; or one that is away."""

    def __init__(self):
        self.polls, self.sent, self.is_away = None, 0, False

    def send_task(self, *_args, kwargs, **_options):
        if self.is_away:
            raise OSError("no broker")
        self.sent += 1
        self.polls.taken(kwargs["customer_id"], Layer.POLL, None)


def test_a_poll_that_is_taken_before_its_publisher_has_noted_it_is_asked_for_again_at_the_next_turn(redis):
    """Else nobody would be polled for as long as such a message may wait, which is two minutes or more."""
    app = Swift()
    app.polls = Polls(app, Asked(redis))
    for _ in range(2):
        app.polls.publish("acme", Lane.PRIORITY, expires_seconds=120, once=True)
    assert app.sent == 2


def test_a_poll_that_could_not_be_published_does_not_look_like_one_that_waits(redis):
    app = Swift()
    app.polls, app.is_away = Polls(app, Asked(redis)), True
    with pytest.raises(OSError, match="no broker"):
        app.polls.publish("acme", Lane.PRIORITY, expires_seconds=120, once=True)
    app.is_away = False
    app.polls.publish("acme", Lane.PRIORITY, expires_seconds=120, once=True)
    assert app.sent == 1


def test_a_worker_that_takes_a_poll_lets_the_schedule_ask_again(hub, redis, organization, start_fleet):
    access = organization(users=1)
    hub.onboard(access)
    start_fleet(processors=0)
    query = text("SELECT count(*) FROM runs WHERE customer_id = :name AND resource = 'users'")

    def polls():
        with hub.engine.connect() as connection:
            return connection.execute(query, {"name": access.name}).scalar_one()

    wait_until(lambda: polls() >= 3, seconds=30, what="three polls")
