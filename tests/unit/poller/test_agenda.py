"""Who is polled when: computed, spread, and unmoved by who comes and goes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.customers import Lane
from poller.schedule.agenda import Agenda, Turn
from poller.schedule.phase import next_turn, phase_seconds


def turn(customer_id, period=300.0):
    return Turn(customer_id=customer_id, lane=Lane.STANDARD, period_seconds=period)


def moments(agenda, customer_id, until, *, start=0.0, step=1.0):
    """When a customer's turns come, if somebody looks every `step` seconds."""
    found, now = [], start
    while now < until:
        now += step
        found += [now for due in agenda.due(now) if due.customer_id == customer_id]
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
    assert phase_seconds("acme", "poll", 300) != phase_seconds("acme", "reconcile", 300)


@given(st.floats(0, 2e9), st.floats(1, 100_000), st.floats(0, 1, exclude_max=True))
def test_the_next_turn_is_later_and_no_further_than_a_period(after, period, unit):
    moment = next_turn(after, period, unit * period)

    assert after < moment or moment == pytest.approx(after)
    assert moment <= after + period * 1.000001


def test_each_turn_comes_once_in_every_period():
    agenda = Agenda()
    agenda.replace([turn(f"c{n}", 10.0) for n in range(50)], 0.0)

    counts = Counter(due.customer_id for now in range(1, 101) for due in agenda.due(float(now)))

    assert set(counts.values()) <= {10}
    assert len(counts) == 50


def test_a_turn_that_was_missed_is_not_made_up():
    agenda = Agenda()
    agenda.replace([turn("acme", 10.0)], 0.0)

    late = agenda.due(1000.0)

    assert [due.customer_id for due in late] == ["acme"]
    assert agenda.due(1000.0) == []
    assert 0 < agenda.wait_seconds(1000.0) <= 10


def test_nobody_moves_when_others_come_or_go():
    alone, crowded = Agenda(), Agenda()
    alone.replace([turn("acme", 60.0)], 0.0)
    crowded.replace([turn("acme", 60.0), turn("b"), turn("c")], 0.0)
    expected = moments(alone, "acme", 150.0)
    found = moments(crowded, "acme", 75.0)
    crowded.replace([turn("acme", 60.0), turn("d"), *(turn(f"e{n}") for n in range(99))], 75.0)

    assert found + moments(crowded, "acme", 150.0, start=75.0) == expected


def test_a_new_list_does_not_repeat_a_turn_that_came():
    agenda = Agenda()
    agenda.replace([turn("acme", 60.0)], 0.0)
    first = moments(agenda, "acme", 60.0)
    agenda.replace([turn("acme", 60.0)], 60.0)

    assert len(first) == 1
    assert agenda.due(first[0] + 59.0) == []
    assert len(agenda.due(first[0] + 60.0)) == 1


def test_who_leaves_is_not_called_again():
    agenda = Agenda()
    agenda.replace([turn("acme", 10.0), turn("globex", 10.0)], 0.0)
    agenda.replace([turn("globex", 10.0)], 5.0)

    assert {due.customer_id for now in range(5, 60) for due in agenda.due(float(now))} == {"globex"}


def test_a_changed_period_counts_from_now_on():
    agenda = Agenda()
    agenda.replace([turn("acme", 1000.0)], 0.0)
    agenda.replace([turn("acme", 10.0)], 5.0)

    assert len(moments(agenda, "acme", 105.0, start=5.0)) == 10


def test_two_agendas_agree_without_talking():
    one, other = Agenda(), Agenda()
    one.replace([turn("acme", 60.0)], 0.0)
    other.replace([turn("acme", 60.0)], 130.0)

    assert moments(one, "acme", 400.0, start=130.0)[-3:] == moments(other, "acme", 400.0, start=130.0)[-3:]


def test_an_empty_agenda_waits_for_nothing():
    agenda = Agenda()

    assert agenda.due(1e9) == []
    assert agenda.wait_seconds(0.0) is None
