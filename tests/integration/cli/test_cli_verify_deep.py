"""`fleet verify --deep`: what has no list is looked for record by record; what was not read is not claimed."""

from __future__ import annotations

import base64
import json

import pytest
from support.hub import MASTER_KEY

LISTED = {"users", "projects", "project_dates"}


@pytest.fixture
def verified(hub, sandbox, organization, fleet, monkeypatch):
    """Everything that there is, applied; then the command, with its answer by resource."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())

    def call(*options, module=True):
        access = organization(users=4, volunteer_module=module)
        sandbox.create_tags(access.name)
        hub.onboard(access, create="direct")
        for _ in range(3):
            hub.poll_all(access.name)
        hub.deliver_all(access.name)
        monkeypatch.setenv("FLEET_LOG_LEVEL", "DEBUG")
        outcome = fleet("verify", access.name, *options, "--json")
        print(outcome.err)
        return outcome, {each["resource"]: each for each in json.loads(outcome.out)["resources"]}

    return call


def test_every_kind_is_equal_after_everything_is_applied(verified, hub):
    outcome, found = verified("--deep")

    print({n: (e["outcome"], e["how"], e["mirrored"], e["expected"], e["held"], e["differing"][:3], e["notes"], e["source_requests"], e["destination_requests"]) for n, e in found.items()})
    print(hub.states(hub.customers.all()[0].customer_id) if hasattr(hub.customers, "all") else "")
    assert outcome.code == 0
