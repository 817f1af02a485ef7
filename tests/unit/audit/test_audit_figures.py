"""Budgets and freshness."""

import pytest
from support.audit_evidence import START, Evidence, change, clean_world, first_user, synchronise

from deploy.audit.budgets import fullest_window
from deploy.audit.freshness import percentile
from deploy.audit.report import Kind

NOW = START.timestamp()


@pytest.fixture
def evidence():
    return Evidence(clean_world())


def limit(evidence, **settings):
    evidence.export["organizations"]["acme"]["settings"].update(settings)


def acme(evidence, **options):
    return next(row for row in evidence.judged(**options).rows if row.organization == "acme")


@pytest.mark.parametrize(
    ("system", "setting", "seconds"),
    [("crm", "crm_requests_per_hour", 3600), ("volunteer", "volunteer_requests_per_minute", 60)],
)
def test_one_request_too_many_in_a_sliding_window_fails(evidence, system, setting, seconds):
    limit(evidence, **{setting: 5})
    for number in range(5):
        evidence.request(system, started_at=NOW + 100 + number)
    assert evidence.judged().passed

    # The clock's window has changed since the first; the sliding one has not.
    evidence.request(system, started_at=NOW + 100 + seconds - 1)
    assert acme(evidence).over_budget == 1
    assert [finding.kind for finding in evidence.judged().findings] == [Kind.BUDGET]

    evidence.journal[-1]["started_at"] = NOW + 100 + seconds
    assert evidence.judged().passed


def test_a_request_that_a_fault_answered_has_used_the_budget(evidence):
    limit(evidence, crm_requests_per_hour=2)
    for number in range(3):
        evidence.request(started_at=NOW + number, status=503, fault="error")

    assert acme(evidence).over_budget == 1


def test_imports_and_other_organizations_use_no_budget(evidence):
    limit(evidence, crm_requests_per_hour=0)
    evidence.request(organization="brook")

    assert evidence.judged().passed


def test_answers_429_count_unless_a_fault_made_them(evidence):
    evidence.request(status=429)
    evidence.request("volunteer", status=429, fault="rate_limit")

    report = acme(evidence)

    assert (report.rejected, report.passed) == (1, True)


def test_the_fullest_window_is_half_open():
    assert fullest_window([], 10) == 0
    assert fullest_window([0, 10], 10) == 1
    assert fullest_window([3, 0, 9.9, 12], 10) == 3


def test_freshness_is_from_the_edit_to_the_write_that_completes_it():
    made = clean_world()
    made.clock.advance(100)
    since = made.clock.now().timestamp()
    change(made, first_user(made), phone="555-300", first_name="Lumdane")
    made.clock.advance(3)
    synchronise(made)

    row = acme(Evidence(made), since=since)

    assert (row.changes, row.freshness_p50_seconds, row.not_arrived) == (1, 5.0, 0)


def test_an_edit_that_was_overtaken_has_arrived_with_the_newer_one():
    made = clean_world()
    made.clock.advance(100)
    since = made.clock.now().timestamp()
    change(made, first_user(made), phone="555-300")
    made.clock.advance(4)
    change(made, first_user(made), phone="555-400")
    synchronise(made)

    row = acme(Evidence(made), since=since)

    assert (row.changes, row.freshness_p50_seconds, row.freshness_p95_seconds) == (2, 2.0, 6.0)


def test_an_edit_that_has_not_arrived_is_counted_and_not_timed():
    made = clean_world()
    made.clock.advance(100)
    since = made.clock.now().timestamp()
    change(made, first_user(made), phone="555-300")

    row = acme(Evidence(made), since=since)

    assert (row.not_arrived, row.freshness_p50_seconds) == (1, None)


def test_requests_are_told_per_thousand_changes(evidence):
    made = clean_world()
    made.clock.advance(100)
    since = made.clock.now().timestamp()
    change(made, first_user(made), phone="555-300")
    synchronise(made)
    evidence = Evidence(made)
    for _ in range(3):
        evidence.request(started_at=since + 1)

    assert acme(evidence, since=since).requests_per_1000_changes == 3000


def test_a_percentile_is_one_of_the_values():
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0


def test_a_request_whose_connection_was_dropped_or_that_is_under_way_has_used_the_budget(evidence):
    limit(evidence, crm_requests_per_hour=1)
    evidence.request(started_at=NOW, status=None, fault="drop")
    evidence.request(started_at=NOW + 1, status=None, finished_at=None)

    assert acme(evidence).over_budget == 1
