"""Ids that may name queues, labels and log fields; and what a customer knows of itself."""

from __future__ import annotations

from datetime import datetime

import pytest
from support.builders import NOW, a_customer, after

from common.domain.checkpoints import Checkpoint, Progress, progress_from_json
from common.domain.clock import ManualClock, SystemClock, require_aware
from common.domain.customers import LANE_OF_TIER, CustomerStatus, Tier, check_customer_id
from common.domain.errors import CustomerInvalid


@pytest.mark.parametrize("customer_id", ["a", "0", "acme-1_b", "a" * 63])
def test_a_well_formed_id_is_accepted(customer_id):
    assert check_customer_id(customer_id) == customer_id


@pytest.mark.parametrize("customer_id", ["", "A", "-a", "_a", "a b", "a.b", "a/b", "ü", "a\n", "a" * 64])
def test_any_other_id_is_refused_with_the_mend(customer_id):
    with pytest.raises(CustomerInvalid, match="1 to 63"):
        check_customer_id(customer_id)


def test_every_tier_has_a_lane():
    assert set(LANE_OF_TIER) == set(Tier)


def test_a_customer_is_parked_until_its_moment_and_no_longer():
    parked = a_customer(parked_until=after(10))

    assert parked.is_parked(after(9))
    assert not parked.is_parked(after(10))
    assert not a_customer().is_parked(NOW)


def test_a_paused_customer_is_not_active():
    assert a_customer().is_active
    assert not a_customer(status=CustomerStatus.PAUSED).is_active


def test_a_checkpoint_moves_forward_only():
    at = Checkpoint(customer_id="acme", resource="users", position=NOW)

    assert at.advanced_to(after(1)) == after(1)
    assert at.advanced_to(after(-1)) == NOW
    assert at.advanced_to(None) == NOW
    assert Checkpoint(customer_id="acme", resource="users").advanced_to(NOW) == NOW


def test_progress_survives_its_json():
    progress = Progress(run_id="r", origin="poll", trace_id="t", next_page="p2", before=NOW.isoformat(), total=3)

    assert progress_from_json(progress.to_json()) == progress
    assert progress_from_json(None) is None


def test_each_pass_and_each_bound_of_a_scan_marks_its_own_rows():
    marks = {
        Progress(run_id="r", origin="poll", trace_id="t", scan_pass=scan_pass, before=before).scan_id
        for scan_pass in (1, 2)
        for before in (None, NOW.isoformat())
    }

    assert len(marks) == 4


def test_a_naive_time_is_refused_and_an_aware_one_put_into_utc():
    with pytest.raises(ValueError, match="updated_at"):
        require_aware(datetime(2026, 1, 1), "updated_at")  # noqa: DTZ001 - naive on purpose

    assert require_aware(NOW, "x") == NOW


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(NOW)
    clock.advance(5)

    assert (clock.now(), clock.monotonic()) == (after(5), 5.0)


def test_the_systems_clock_is_aware_and_never_goes_back():
    clock = SystemClock()

    assert clock.now().tzinfo is not None
    assert clock.monotonic() <= clock.monotonic()
