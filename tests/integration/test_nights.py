"""A nightly customer's night on real servers: what it does, when it applies, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.hub import Hub
from support.nightly import NightRig

from common.domain.clock import ManualClock
from common.domain.nights import Finding, NightState


@pytest.fixture
def clock():
    return ManualClock(datetime.now(tz=UTC).replace(microsecond=0))


@pytest.fixture
def timed(engine, servers, redis, clock):
    built = Hub(engine=engine, servers=servers, redis=redis, clock=clock)
    yield built
    built.close()


@pytest.fixture
def rig(timed, clock, organization):
    access = organization(users=3)
    made = NightRig(timed, clock, timed.onboard(access))
    made.access = access
    return made


def test_a_whole_night_reads_applies_and_reports(rig):
    night = rig.whole_night()

    assert (night.state, night.reason) == (NightState.COMPLETED, "")
    assert rig.hub.states(rig.name) == {"applied": 3}
    assert {probe.finding for probe in night.probes.values()} == {Finding.REACHABLE}
    told = {name: night.report[name] for name in ("read", "detected", "applied", "deferred", "dead_lettered")}
    assert told == {"read": 3, "detected": 3, "applied": 3, "deferred": 0, "dead_lettered": 0}
    assert night.report["applied_through"] == night.report["checkpoints"]["users"]
    assert night.deadline_at == night.started_at + timedelta(hours=6)
    assert rig.announced == [rig.name]
