"""The fleet in real processes does its job."""

from __future__ import annotations

from support.waiting import wait_until


def test_a_fleet_brings_every_user_to_the_destination(hub, organization, sandbox, start_fleet):
    accesses = [organization(users=size) for size in (10, 40, 70)]
    for access in accesses:
        hub.onboard(access, visibility_seconds=1)
    fleet = start_fleet()

    for access in accesses:
        wait_until(
            lambda access=access: len(sandbox.export(access.name)["destination"]["contacts"]) == access.users,
            seconds=40,
            what=f"{access.users} contacts of {access.name}",
        )
    assert "Traceback" not in fleet.logs()
