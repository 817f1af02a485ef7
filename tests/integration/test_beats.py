"""Of several beats one leads; when it is killed another takes over, and nobody is polled twice for it."""

from __future__ import annotations

import os
import signal

import pytest
from support.waiting import wait_until

from deploy.local.child import ProcessSpec
from deploy.local.topology import beat_argv

pytestmark = pytest.mark.slow


def test_one_beat_leads_and_a_killed_leader_is_replaced(hub, organization, sandbox, start_fleet):
    access = organization(users=2)
    hub.onboard(access, visibility_seconds=1)
    fleet = start_fleet(processors=1)
    second = second_beat(fleet)
    wait_until(lambda: leaders(fleet), seconds=20, what="a leader")
    wait_until(lambda: "beat: Starting" in fleet.log("beat2"), seconds=20, what="the second beat")
    assert len(leaders(fleet)) == 1

    (first,) = leaders(fleet)
    before = len(hub.overview.runs(access.name, 1000))
    os.kill(fleet.pid(first), signal.SIGKILL)
    wait_until(lambda: len(leaders(fleet)) >= 2, seconds=15, what="another leader")
    wait_until(lambda: len(hub.overview.runs(access.name, 1000)) > before + 2, seconds=20, what="polls that go on")
    assert second.name == "beat2"


def test_an_added_and_a_paused_customer_count_within_seconds_without_a_restart(hub, organization, start_fleet):
    start_fleet(processors=1)
    access = organization(users=2)
    hub.onboard(access, visibility_seconds=1)
    wait_until(lambda: hub.overview.runs(access.name), seconds=20, what="its first run")

    hub.customers.pause(access.name, "by hand")
    wait_until(lambda: stands_still(hub, access.name), seconds=20, what="no more runs")


def stands_still(hub, name) -> bool:
    """No run for as long as three of its turns take."""
    runs = hub.overview.runs(name, 1000)
    return (hub.clock.now() - runs[0].started_at).total_seconds() > 3.5


def leaders(fleet) -> list[str]:
    return [name for name in ("beat", "beat2") if "this beat leads" in fleet.log(name)]


def second_beat(fleet) -> ProcessSpec:
    first = next(w.child.spec for w in fleet.supervisor._watched if w.child.spec.name == "beat")
    spec = ProcessSpec(
        name="beat2", argv=beat_argv("INFO"), env=first.env, log_path=fleet.state_dir / "logs" / "beat2.log"
    )
    fleet.supervisor.start(spec)
    return spec
