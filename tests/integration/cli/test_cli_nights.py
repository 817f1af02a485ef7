"""`fleet nights`: what is told, and a night that is opened by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from common.domain.clock import SystemClock
from common.domain.nights import NightState
from common.storage.nights import PostgresNights


@pytest.fixture
def nightly(added):
    added("acme", "--mode", "nightly", "--no-verify")


def test_a_night_by_hand_is_opened_once_and_a_dry_run_opens_none(fleet, nightly, actions):
    dry = fleet("nights", "run", "acme", "--dry-run", "--json").data
    assert (dry["opened"], fleet("nights", "list", "--json").data["nights"]) == (False, [])

    assert [fleet("nights", "run", "acme", "--json").data["opened"] for _ in range(2)] == [True, False]
    (night,) = fleet("nights", "list", "acme", "--json").data["nights"]
    assert (night["state"], night["phase"], night["part"]) == ("open", "prerequisites", 2)
    assert actions("acme")[0] == "night.asked_for"
    assert "at prerequisites" in fleet("status", "acme").out


def test_what_is_no_night_is_told_in_one_line(fleet, nightly, added):
    added("day", "--no-verify")
    for arguments, words in (
        (["show", "acme"], "customer 'acme': there is no night"),
        (["show", "acme", "yesterday"], "'yesterday' is no date"),
        (["run", "day"], "customer 'day': mode: it is polled continuously"),
        (["run", "nobody"], "there is no such customer"),
    ):
        outcome = fleet("nights", *arguments)
        assert outcome.code != 0
        assert words in outcome.err
        assert len(outcome.err.splitlines()) == 1


def test_a_night_shows_its_report_and_status_its_end(fleet, nightly, engine):
    nights, now = PostgresNights(engine), SystemClock().now()
    nights.claim("acme", date(2026, 3, 31), now)
    report = {"applied": 1200, "deferred": 3, "failures": [
        {"resource": "users", "source_id": "7", "stage": "apply", "reason": "http_422"}], "failure_rate": 0.01,
    }  # fmt: skip
    ended = {"state": NightState.FAILED, "reason": "source token: rejected: 401", "finished_at": now}
    nights.save(nights.current("acme"), **ended, report=report, next_at=now + timedelta(hours=20))

    out = fleet("nights", "show", "acme", "2026-03-31").out
    assert "1,200" in out
    assert "users/7: apply: http_422" in out
    assert "1.0 %" in out
    assert "source token: rejected: 401" in fleet("nights", "list").out
    assert "its last night is failed: source token" in " ".join(fleet("status", "acme").out.split())
