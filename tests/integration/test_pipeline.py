"""The main job on real servers, one worker, the queue driven by hand."""

from __future__ import annotations

from support.waiting import wait_until


def test_every_user_becomes_a_contact(hub, organization, sandbox):
    access = organization(users=40)
    hub.onboard(access)

    assert hub.poll(access.name) == "completed"
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="all applied")

    destination = sandbox.export(access.name)["destination"]
    assert len(destination["contacts"]) == 40
    assert hub.states(access.name) == {"applied": 40}
