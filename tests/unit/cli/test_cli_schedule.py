"""What comes when, as it is told: from turns, without any server."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from common.cli.schedule import beat_line, job_of, last_run_at, loads_of
from common.domain.customers import LANE_OF_TIER, Customer, Lane, Mode, Tier
from common.domain.events import Origin
from poller.schedule.turns import Timetable

TIMETABLE = Timetable(
    interval_seconds={Tier.PREMIUM: 300, Tier.STANDARD: 900, Tier.BASIC: 3600},
    nightly_at=time(22),
    reconciliation_at=time(3),
    spread_seconds=0.0,
)
RESOURCES = ("users", "forms")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def customer(name: str = "acme", tier: Tier = Tier.PREMIUM, **changes):
    return Customer(customer_id=name, name=name, tier=tier, lane=LANE_OF_TIER[tier], **changes)


def jobs(whom, now=NOON):
    return {turn.job: job_of(turn, whom, now, None) for turn in TIMETABLE.turns(whom, RESOURCES)}


def test_a_cadence_is_told_to_the_second_and_its_next_moment_is_within_it():
    job = jobs(customer(poll_interval_seconds=90))["poll"]

    assert (job.every_seconds, job.daily_at, job.resources) == (90, None, None)
    assert NOON < job.next_at <= NOON + timedelta(seconds=90)


def test_a_slot_is_told_in_utc_and_in_the_customers_own_time():
    job = jobs(customer(mode=Mode.NIGHTLY, time_zone="Europe/Berlin"))["nightly"]

    assert (job.every_seconds, job.daily_at) == (None, "22:00")
    assert job.next_at == datetime(2026, 7, 1, 20, tzinfo=UTC)
    assert job.next_local == "2026-07-01 22:00:00 CEST"


@pytest.mark.parametrize(("tier", "turns"), [(Tier.PREMIUM, 12), (Tier.STANDARD, 4), (Tier.BASIC, 1)])
def test_the_next_hour_of_a_lane_counts_each_turn_of_its_customers(tier, turns):
    whom = [customer(f"c{number}", tier) for number in range(50)]
    loads = {load.lane: load for load in loads_of([t for c in whom for t in TIMETABLE.turns(c, RESOURCES)], NOON)}

    own = loads.pop(LANE_OF_TIER[tier])
    assert (own.customers, own.jobs) == (50, 100)  # a poll and a reconciliation each
    assert own.turns_per_minute == round(50 * turns / 60, 1)
    assert own.fullest_minute_turns >= own.turns_per_minute
    assert all((load.customers, load.fullest_minute, load.turns_per_minute) == (0, None, 0) for load in loads.values())


def test_the_fullest_minute_is_the_one_in_which_most_slots_fall():
    whom = [customer(f"c{number}", mode=Mode.NIGHTLY) for number in range(7)]
    before_ten = datetime(2026, 7, 1, 21, 30, tzinfo=UTC)

    loads = {load.lane: load for load in loads_of([t for c in whom for t in TIMETABLE.turns(c, ())], before_ten)}

    load = loads[Lane.PRIORITY]
    assert (load.fullest_minute, load.fullest_minute_turns) == (datetime(2026, 7, 1, 22, tzinfo=UTC), 7)


def test_a_job_is_as_old_as_the_resource_that_was_read_the_longest_ago():
    turn = TIMETABLE.turns(customer(), RESOURCES)[0]
    earlier, later = NOON - timedelta(hours=2), NOON - timedelta(hours=1)
    runs = {
        ("users", Origin.BACKFILL): earlier - timedelta(days=1), ("users", Origin.POLL): later,
        ("forms", Origin.BACKFILL): earlier, ("forms", Origin.RECONCILIATION): NOON,
    }  # fmt: skip

    assert last_run_at(turn, RESOURCES, runs) == earlier


def test_a_job_of_which_a_resource_was_never_read_has_no_last_run():
    poll, reconciliation = TIMETABLE.turns(customer(), RESOURCES)
    runs = {("users", Origin.POLL): NOON, ("forms", Origin.RECONCILIATION): NOON}

    assert last_run_at(poll, RESOURCES, runs) is None
    assert last_run_at(reconciliation, RESOURCES, runs) is None


@pytest.mark.parametrize(
    ("age", "words", "style"),
    [
        (None, "no beat has ever led", "red"),
        (15.0, "a beat leads", ""),
        (15.1, "no beat leads", "red"),
    ],
)
def test_a_beat_that_says_nothing_for_fifteen_seconds_leads_no_more(age, words, style):
    line = beat_line(age)

    assert line.plain.startswith(words)
    assert line.style == style
