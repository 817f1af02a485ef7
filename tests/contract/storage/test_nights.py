"""The nights of customers, over both implementations."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from support.builders import NOW, a_customer, after

from common.domain.clock import ManualClock
from common.domain.customers import Lane, Mode, System
from common.domain.nights import Finding, NightState, Pauses, Phase, Probe, Window
from common.storage.customers import PostgresCustomerStore
from common.storage.memory.nights import MemoryNights
from common.storage.nights import PostgresNights

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)
LANES = {"acme": Lane.PRIORITY, "globex": Lane.BACKGROUND}


@pytest.fixture(params=["memory", "postgres"])
def nights(request):
    if request.param == "memory":
        return MemoryNights(LANES.__getitem__)
    engine = request.getfixturevalue("engine")
    for name, lane in LANES.items():
        PostgresCustomerStore(engine, ManualClock()).add(a_customer(name, lane=lane, mode=Mode.NIGHTLY))
    return PostgresNights(engine)


def end(nights, state=NightState.COMPLETED, **changes):
    assert nights.save(nights.current("acme"), state=state, finished_at=NOW, **changes)


def test_two_messages_for_one_slot_make_one_night(nights):
    assert [nights.claim("acme", FIRST, NOW), nights.claim("acme", FIRST, after(1))] == [True, False]
    end(nights)

    assert not nights.claim("acme", FIRST, after(2)), "also when it is over"
    assert len(nights.list("acme", 10)) == 1


def test_one_night_is_open_at_a_time_and_the_other_customers_are_theirs(nights):
    assert [nights.claim("acme", FIRST, NOW), nights.claim("acme", SECOND, NOW)] == [True, False]
    assert not nights.open_by_hand("acme", SECOND, NOW)
    assert nights.claim("globex", FIRST, NOW)


def test_a_night_by_hand_leaves_the_slot_of_its_date_free(nights):
    assert nights.open_by_hand("acme", FIRST, NOW)
    end(nights)
    assert nights.open_by_hand("acme", FIRST, after(1))
    end(nights)

    assert nights.claim("acme", FIRST, after(2))
    assert [night.part for night in nights.list("acme", 10)] == [1, 3, 2], "the latest first"


def test_a_night_is_found_by_its_date_and_without_one_the_latest(nights):
    nights.claim("acme", FIRST, NOW)
    end(nights)
    nights.claim("acme", SECOND, after(1))

    assert nights.find("acme", FIRST).night_date == FIRST
    assert nights.find("acme", None).night_date == SECOND
    assert nights.find("globex", None) is None


def test_a_night_is_due_from_its_claim_until_it_is_put_off_or_over(nights):
    nights.claim("acme", FIRST, NOW)
    nights.claim("globex", FIRST, after(-5))

    assert [(due.customer_id, due.lane) for due in nights.due(NOW)] == [
        ("globex", Lane.BACKGROUND), ("acme", Lane.PRIORITY),
    ]  # fmt: skip
    nights.save(nights.current("globex"), next_step_at=after(60))
    end(nights)
    assert nights.due(after(59)) == []
    assert [due.customer_id for due in nights.due(after(60))] == ["globex"]


def test_what_was_seen_in_another_phase_changes_nothing(nights):
    nights.claim("acme", FIRST, NOW)
    seen = nights.current("acme")

    assert nights.save(seen, phase=Phase.READ)
    assert not nights.save(seen, phase=Phase.APPLY)
    assert nights.current("acme").phase is Phase.READ
    end(nights)
    assert not nights.save(seen, phase=Phase.APPLY)


def test_a_probe_is_kept_by_system_and_an_answer_asks_for_a_step(nights):
    nights.claim("acme", FIRST, NOW)
    nights.save(nights.current("acme"), next_step_at=after(600))
    away = Probe(finding=Finding.UNREACHABLE, at=after(1), said="503")
    nights.note_probe("acme", System.DESTINATION, away)
    assert nights.current("acme").next_step_at == after(600)

    there = Probe(finding=Finding.REACHABLE, at=after(2))
    nights.note_probe("acme", System.SOURCE, there)
    assert nights.current("acme").probes == {System.DESTINATION: away, System.SOURCE: there}
    assert nights.current("acme").next_step_at == after(2)


def test_a_probe_that_comes_late_is_nobodys(nights):
    nights.note_probe("acme", System.SOURCE, Probe(finding=Finding.REACHABLE, at=NOW))
    nights.claim("acme", FIRST, NOW)
    nights.save(nights.current("acme"), phase=Phase.READ)
    nights.note_probe("acme", System.SOURCE, Probe(finding=Finding.REFUSED, at=NOW))

    assert nights.current("acme").probes == {}


def test_pauses_are_counted_while_a_night_is_open_and_of_nightly_customers_only(nights):
    count = Pauses(nights=nights)
    nightly = a_customer(mode=Mode.NIGHTLY)
    count(nightly)
    nights.claim("acme", FIRST, NOW)
    count(nightly)
    count(nightly)
    count(a_customer(mode=Mode.CONTINUOUS))

    assert nights.current("acme").pauses == 2
    assert nights.current("globex") is None


def test_events_may_be_applied_in_that_phase_and_before_the_deadline_only(nights):
    nights.claim("acme", FIRST, NOW)
    closed = Window(is_night=True)
    assert nights.window("acme", NOW) == closed
    nights.save(nights.current("acme"), started_at=NOW, deadline_at=after(60))
    for phase in (Phase.READ, Phase.APPLY, Phase.REPORT):
        nights.save(nights.current("acme"), phase=phase)
        expected = Window(is_night=True, until=after(60)) if phase is Phase.APPLY else closed
        assert nights.window("acme", after(59)) == expected
        assert nights.window("acme", after(60)) == closed


def test_between_nights_the_last_one_says_when_the_next_comes(nights):
    assert nights.window("acme", NOW) == Window()
    nights.claim("acme", FIRST, NOW)
    tomorrow = NOW + timedelta(days=1)
    end(nights, next_at=tomorrow)

    assert nights.window("acme", NOW) == Window(next_at=tomorrow)


@pytest.mark.parametrize(
    ("ends", "count"),
    [([], 0), (["failed"], 1), (["failed", "completed"], 0), (["failed", "completed", "failed", "failed"], 2)],
)
def test_failed_nights_are_counted_in_a_row(nights, ends, count):
    for number, state in enumerate(ends):
        nights.claim("acme", FIRST + timedelta(days=number), after(number))
        end(nights, NightState(state))
    nights.claim("acme", FIRST + timedelta(days=9), after(9))

    assert nights.failed_in_a_row("acme") == count
