"""Which rule hits which request."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from deploy.sandbox.faults import BadRuleError, Faults, Target

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEMPLATES = frozenset({"/users", "/users/{id}"})
TARGET = Target("volunteer", "acme", "GET", "/users", "/users", TEMPLATES)


def faults(*rules):
    made = Faults(Random(1))
    for rule in rules:
        made.add(rule, NOW)
    return made


def test_without_rules_nothing_happens():
    plan = faults().plan(TARGET, NOW)

    assert (plan.kind, plan.delay_seconds, plan.status) == (None, 0, None)


@pytest.mark.parametrize(
    "other", [{"system": "crm"}, {"organization": "brook"}, {"method": "POST"}, {"route": "/users/{id}"}, {"rate": 0}]
)
def test_a_rule_for_something_else_does_not_hit(other):
    assert faults({"kind": "error", **other}).plan(TARGET, NOW).kind is None


@pytest.mark.parametrize(
    ("route", "hit"), [("/users/{id}", True), ("/users/41", True), ("/users", False), ("/u", True), ("/groups", False)]
)
def test_a_known_template_is_exact_and_anything_else_a_prefix(route, hit):
    detail = replace(TARGET, route="/users/{id}", path="/users/4101")

    assert bool(faults({"kind": "error", "route": route}).plan(detail, NOW).kind) is hit


def test_latencies_add_up_and_the_first_other_rule_decides():
    rules = [
        {"kind": "latency", "seconds": 1},
        {"kind": "latency", "seconds": 2},
        {"kind": "outage"},
        {"kind": "error"},
    ]

    plan = faults(*rules).plan(TARGET, NOW)

    assert (plan.delay_seconds, plan.kind, plan.status) == (3, "outage", 503)


def test_a_rule_ends_when_its_time_is_over():
    made = faults({"kind": "error", "for_seconds": 10})

    assert made.plan(TARGET, NOW + timedelta(seconds=9.9)).kind == "error"
    assert made.plan(TARGET, NOW + timedelta(seconds=10)).kind is None


def test_the_same_seed_draws_the_same_fates():
    rule = {"kind": "error", "rate": 0.3}
    one, other = faults(rule), faults(rule)

    fates = [one.plan(TARGET, NOW).kind for _ in range(100)]

    assert fates == [other.plan(TARGET, NOW).kind for _ in range(100)]
    assert set(fates) == {None, "error"}


@pytest.mark.parametrize(
    "rule", [{}, {"kind": "flood"}, {"kind": "error", "colour": "red"}, {"kind": "error", "hits": 3}]
)
def test_a_rule_that_makes_no_sense_is_refused(rule):
    with pytest.raises(BadRuleError):
        faults(rule)
