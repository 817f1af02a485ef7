"""A series that grows fails, one that comes and goes does not: whatever its noise."""

from __future__ import annotations

import random

import pytest
from soak.bounds import BOUNDS, Bound, bound_of
from soak.judging import Outcome, judge, judge_all
from soak.trend import Point, growth, quarters, slope, sparkline, thinned

#: A sample every 5 s for an hour.
HOUR = range(0, 3600, 5)
BOUND = Bound(growth=4, share=0.05)


def series(value, times=HOUR):
    dice = random.Random(1)
    return [Point(at=float(at), value=value(at, dice)) for at in times]


def whole():
    """A series of each kind, and none that grows."""
    return {kind: series(lambda *_: 0.0) for kind in BOUNDS}


def test_a_leak_fails():
    leak = series(lambda at, dice: 100 + at * 15 / 3600 + dice.gauss(0, 2))

    found = judge("rss: processor1", leak)

    assert "grew by" in found.trouble
    assert found.per_hour == pytest.approx(15, rel=0.15)


def test_a_sawtooth_passes():
    assert judge("x", series(lambda at, _: 100 + at % 300 / 3), BOUND).trouble == ""


def test_noise_and_a_few_peaks_pass():
    noisy = series(lambda at, dice: 100 + dice.gauss(0, 3) + (400 if at % 600 == 300 else 0))

    assert judge("x", noisy, BOUND).trouble == ""


def test_what_is_high_from_the_warm_up_on_passes():
    assert judge("x", series(lambda at, _: 60 + min(at, 600) / 15), BOUND).trouble == ""


def test_steps_are_growth():
    assert judge("x", series(lambda at, _: 100 + at // 400 * 5), BOUND).trouble
    assert judge("x", series(lambda at, _: 100 if at < 2000 else 120), BOUND).trouble


def test_the_share_of_the_median_widens_the_bound():
    rising = series(lambda at, _: 1000 + at / 100)

    assert judge("x", rising, Bound(growth=4)).trouble
    assert judge("x", rising, Bound(growth=4, share=0.05)).trouble == ""


def test_a_ceiling_is_broken_by_one_value():
    slots = series(lambda at, _: 1.0 if at == 1800 else 0.0)

    assert judge("slots without work", slots).trouble == "reached 1, allowed 0"
    assert judge("slots without work", series(lambda *_: 0.0)).trouble == ""


def test_too_few_samples_prove_nothing():
    assert judge("x", series(lambda *_: 1.0, range(4)), BOUND).trouble == "only 3 samples to judge"


def test_what_has_no_bound_is_told_and_fails_nothing():
    found = judge("table megabytes: events", series(lambda at, _: at / 36))

    assert (found.trouble, found.allowed) == ("", None)
    assert found.per_hour == pytest.approx(100, rel=0.01)


def test_every_kind_that_is_promised_flat_is_judged():
    promised = {"rss", "backends", "dead tuples", "redis memory", "delay p99", "slots without work", "file descriptors"}

    assert promised <= {kind for kind, bound in BOUNDS.items() if bound.is_judged}
    assert bound_of("rss: beat") is BOUNDS["rss"]


def test_the_stand_in_may_grow_for_it_forgets_nothing():
    assert judge("rss: sandbox", series(lambda at, _: at)).trouble == ""


def outcome(**changes):
    flat = {**whole(), "rss: beat": series(lambda *_: 50.0)}
    base = {
        "findings": judge_all(flat), "audit": [], "at_rest": True, "seconds": 3600.0, "edits": 7000, "faults": 12,
    }  # fmt: skip
    return Outcome(**{**base, **changes})


def test_a_run_passes_only_if_all_of_it_does():
    assert outcome().verdict == "PASS"
    leaking = judge_all({**whole(), "rss: beat": series(lambda at, _: at)})
    for change in (
        {"audit": ["acme: missing"]},
        {"at_rest": False},
        {"edits": 0},
        {"faults": 0},
        {"findings": leaking},
    ):
        assert outcome(**change).verdict == "FAIL", change


def test_troubles_come_first():
    found = judge_all({**whole(), "a": series(lambda *_: 1.0), "rss: z": series(lambda at, _: at)})

    assert [each.name for each in found] == ["rss: z", *sorted([*whole(), "a"])]


@pytest.mark.parametrize("kind", BOUNDS)
def test_what_was_never_sampled_has_proved_nothing(kind):
    sampled = {name: points for name, points in whole().items() if name != kind}

    assert [each.name for each in judge_all(sampled) if each.trouble] == [kind]


def test_slope_growth_and_quarters_are_of_the_points_given():
    line = series(lambda at, _: 2 * at, range(0, 41, 10))

    assert (slope(line), growth(line)) == (2, 80)
    assert quarters(line) == [0, 20, 40, 70]
    assert (slope([]), growth([]), quarters([])) == (0, 0, [])


def test_a_sparkline_spans_from_the_lowest_to_the_highest():
    assert sparkline(series(lambda at, _: at, range(3))) == "▁▅█"
    assert sparkline(series(lambda *_: 7.0, range(3))) == "▁▁▁"


def test_thinning_keeps_the_ends():
    kept = thinned(series(lambda at, _: at), 10)

    assert (len(kept), kept[0].at, kept[-1].at) == (10, 0, 3595)
