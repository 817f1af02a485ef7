"""What counts as killed work that went on in time."""

from __future__ import annotations

import pytest
from chaos.customers import CUSTOMERS
from chaos.holding import Leads
from chaos.wounds import RECOVERY_SECONDS, Healing, Wound, forgotten_wound, since_last_stroke

HEALED = {0.0: True, RECOVERY_SECONDS: True, RECOVERY_SECONDS + 0.1: False, None: False}


@pytest.mark.parametrize(("seconds", "in_time"), HEALED.items())
def test_work_that_never_went_on_is_late_as_what_took_longer_than_promised(seconds, in_time):
    assert Healing(wound=a_wound(), work="", seconds=seconds).is_in_time is in_time


def test_work_struck_again_before_it_went_on_counts_from_the_later_stroke():
    first, second = a_wound(at=100.0), a_wound(at=101.0, victim="processor1")
    assert since_last_stroke(Healing(wound=first, work="", seconds=5.0), [first, second]).seconds == 4.0
    assert since_last_stroke(Healing(wound=second, work="", seconds=4.0), [first, second]).seconds == 4.0


def test_work_that_is_late_or_never_goes_on_is_told_however_often_others_of_its_kind_are_struck_meanwhile():
    first, idle = a_wound(at=100.0), a_wound(at=102.0, victim="processor1")
    late = Healing(wound=first, work="partition/plain/1", seconds=2.0 + RECOVERY_SECONDS + 1.0)
    never = Healing(wound=first, work="partition/plain/1", seconds=None)
    assert not since_last_stroke(late, [first, idle]).is_in_time
    assert not since_last_stroke(never, [first, idle]).is_in_time


def test_a_stroke_after_it_went_on_or_against_another_kind_of_process_changes_nothing():
    first = a_wound(at=100.0)
    others = [a_wound(at=103.0), a_wound(at=101.0, victim="poller1")]
    assert since_last_stroke(Healing(wound=first, work="", seconds=2.0), [first, *others]).seconds == 2.0


def test_a_lead_is_taken_over_by_another_session_and_not_by_the_same_one():
    leads = Leads(stage=None)
    leads.seen += [(10.0, 5001), (20.0, 5002)]
    assert leads.taken_over(15.0) == 20.0
    assert leads.taken_over(25.0) is None


def test_what_redis_forgot_must_go_on_at_every_customer_and_not_at_the_busiest_alone():
    assert forgotten_wound("redis").locks == {f"partition/{each.name}" for each in CUSTOMERS}


def a_wound(*, at=100.0, victim="processor2"):
    return Wound(at=at, victim=victim, locks=frozenset())
