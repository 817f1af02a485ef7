"""Who is read when: computed, spread, and unmoved by who comes and goes."""

from __future__ import annotations

from collections import Counter
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.customers import Lane
from common.domain.layers import Layer
from poller.schedule.agenda import LONGEST_CATCH_UP_SECONDS, Agenda
from poller.schedule.phase import next_turn, phase_seconds
from poller.schedule.slots import Slot
from poller.schedule.turns import Turn

DAY = 86400.0


def turn(customer_id="acme", period=300.0, job="poll"):
    return Turn(customer_id=customer_id, job=job, lane=Lane.STANDARD, layer=Layer.POLL, period_seconds=period)


def slot_turn(customer_id="acme"):
    slot = Slot(at=time(3), zone="UTC")
    return Turn(
        customer_id=customer_id, job="reconciliation", lane=Lane.STANDARD, layer=Layer.RECONCILIATION, slot=slot
    )


def filled(*turns, now=0.0, since=None):
    agenda = Agenda()
    for each in turns:
        agenda.put(each.customer_id, [each], now, since=since)
    return agenda


def moments(agenda, customer_id, until, *, start=0.0, step=1.0):
    """When a customer's turns come, if somebody looks every `step` seconds."""
    found, now = [], start
    while now < until:
        now += step
        found += [now for due in agenda.due(now) if due.turn.customer_id == customer_id]
    return found


@given(st.text(min_size=1), st.floats(1, 100_000))
def test_a_phase_lies_within_its_period_and_never_shifts(customer_id, period):
    phase = phase_seconds(customer_id, "poll", period)

    assert 0 <= phase < period
    assert phase == phase_seconds(customer_id, "poll", period)


def test_phases_spread_customers_evenly_over_a_period():
    tenths = Counter(int(phase_seconds(f"customer-{n}", "poll", 10.0)) for n in range(5000))

    assert set(tenths) == set(range(10))
    assert all(400 < count < 600 for count in tenths.values())


def test_the_jobs_of_a_customer_do_not_fall_together():
    assert phase_seconds("acme", "poll", 300) != phase_seconds("acme", "reconciliation", 300)


@given(st.floats(0, 2e9), st.floats(1, 100_000), st.floats(0, 1, exclude_max=True))
def test_the_next_turn_is_later_and_no_further_than_a_period(after, period, unit):
    moment = next_turn(after, period, unit * period)

    assert after < moment or moment == pytest.approx(after)
    assert moment <= after + period * 1.000001


def test_each_turn_comes_once_in_every_period():
    agenda = filled(*(turn(f"c{n}", 10.0) for n in range(50)))

    counts = Counter(due.turn.customer_id for now in range(1, 101) for due in agenda.due(float(now)))

    assert set(counts.values()) <= {10}
    assert len(counts) == 50


def test_a_late_look_gives_a_turn_once_and_the_next_at_its_own_moment():
    agenda = filled(turn(period=10.0))

    assert len(agenda.due(1000.0)) == 1
    assert agenda.due(1000.0) == []
    assert 0 < agenda.wait_seconds(1000.0) <= 10


def test_nobody_moves_when_others_come_or_go():
    alone, crowded = filled(turn("acme", 60.0)), filled(turn("acme", 60.0), turn("b"), turn("c"))
    expected = moments(alone, "acme", 150.0)
    found = moments(crowded, "acme", 75.0)
    crowded.put("b", [], 75.0)
    for number in range(99):
        crowded.put(f"e{number}", [turn(f"e{number}")], 75.0)

    assert found + moments(crowded, "acme", 150.0, start=75.0) == expected


def test_the_same_turn_again_does_not_repeat_what_came():
    agenda = filled(turn(period=60.0))
    first = moments(agenda, "acme", 60.0)
    agenda.put("acme", [turn(period=60.0)], 60.0)

    assert len(first) == 1
    assert moments(agenda, "acme", first[0] + 59.0, start=60.0) == []
    assert len(moments(agenda, "acme", first[0] + 60.0, start=first[0] + 59.0)) == 1


def test_who_leaves_is_not_called_again():
    agenda = filled(turn("acme", 10.0), turn("globex", 10.0))
    agenda.put("acme", [], 5.0)

    assert {due.turn.customer_id for now in range(5, 60) for due in agenda.due(float(now))} == {"globex"}
    assert (len(agenda), agenda.has("acme"), agenda.has("globex")) == (1, False, True)


def test_who_leaves_and_comes_back_is_called_once_a_period():
    agenda = filled(turn(period=10.0))
    for _ in range(3):
        agenda.put("acme", [], 5.0)
        agenda.put("acme", [turn(period=10.0)], 5.0)

    assert len(moments(agenda, "acme", 105.0, start=5.0)) == 10


def test_a_job_that_is_dropped_leaves_the_customers_others_alone():
    agenda = Agenda()
    agenda.put("acme", [turn(period=10.0), turn(period=10.0, job="poll:users")], 0.0)
    agenda.put("acme", [turn(period=10.0)], 5.0)

    assert {due.turn.job for now in range(5, 60) for due in agenda.due(float(now))} == {"poll"}


def test_a_changed_period_counts_from_now_on():
    agenda = filled(turn(period=1000.0))
    agenda.put("acme", [turn(period=10.0)], 5.0)

    assert len(moments(agenda, "acme", 105.0, start=5.0)) == 10


def test_two_agendas_agree_without_talking():
    one, other = filled(turn(period=60.0)), filled(turn(period=60.0), now=130.0)
    expected = moments(one, "acme", 400.0)[-3:]

    assert moments(other, "acme", 400.0, start=130.0)[-3:] == expected


def test_an_empty_agenda_waits_for_nothing():
    agenda = Agenda()

    assert agenda.due(1e9) == []
    assert agenda.wait_seconds(0.0) is None


def test_a_new_leader_goes_on_where_the_last_one_stopped_and_leaves_nobody_out():
    """Every turn of the gap comes once, whatever the moment at which the leader died."""
    turns = [turn(f"c{n}", 60.0) for n in range(200)]
    before, gap_end = filled(*turns), 127.0
    counts = Counter(due.turn.customer_id for now in range(1, 121) for due in before.due(float(now)))
    after = filled(*turns, now=gap_end, since=120.0)
    counts.update(due.turn.customer_id for now in range(int(gap_end), 241) for due in after.due(float(now)))

    assert set(counts.values()) == {4}


@pytest.mark.parametrize("gap", [60.0, 3600.0, 8 * 3600.0])
def test_after_an_outage_everybody_is_read_once_and_not_all_at_once(gap):
    """Ten thousand customers polled by the hour: one made-up turn each, at most a regular one besides, no peak."""
    turns = [turn(f"c{n}", 3600.0) for n in range(10_000)]
    agenda = filled(*turns, now=1e6 + gap, since=1e6)
    seconds = range(int(1e6 + gap), int(1e6 + gap + LONGEST_CATCH_UP_SECONDS) + 1)
    by_second = [[due.turn.customer_id for due in agenda.due(float(now))] for now in seconds]
    counts = Counter(customer_id for second in by_second for customer_id in second)

    missed = {each.customer_id for each in turns if each.is_missed(1e6, 1e6 + gap)}
    assert missed <= counts.keys()
    assert max(counts.values()) <= 2
    spread = min(gap, LONGEST_CATCH_UP_SECONDS)
    assert max(map(len, by_second)) < 3 * (len(missed) / spread + len(turns) / 3600.0)


def test_a_leader_that_was_stopped_for_hours_does_not_call_everybody_at_once():
    agenda = filled(*(turn(f"c{n}", 300.0) for n in range(3000)))
    agenda.due(1.0)

    assert len(agenda.due(7200.0)) < 100
    counts = Counter(due.turn.customer_id for now in range(7201, 7502) for due in agenda.due(float(now)))
    assert len(counts) == 3000
    assert max(counts.values()) <= 2


def test_a_missed_slot_is_made_up_for_its_last_date_only():
    agenda = filled(slot_turn(), now=10 * DAY, since=6 * DAY)
    found = [due for step in range(24 * 720) for due in agenda.due(10 * DAY + step * 5.0)]

    assert [str(due.slot_date) for due in found] == ["1970-01-10", "1970-01-11"]


def test_a_slot_that_was_not_missed_waits_for_its_next_date():
    agenda = filled(slot_turn(), now=10 * DAY + 5 * 3600, since=10 * DAY + 4 * 3600)

    assert agenda.wait_seconds(10 * DAY + 5 * 3600) == 22 * 3600


def test_a_beat_that_is_always_slow_puts_nobody_off_for_ever():
    agenda = filled(*(turn(f"c{n}", 300.0) for n in range(100)))
    counts = Counter(due.turn.customer_id for now in range(60, 6060, 60) for due in agenda.due(float(now)))

    assert len(counts) == 100
    assert min(counts.values()) >= 9
