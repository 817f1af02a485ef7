"""`fleet verify --deep`: what has no list is looked for record by record; what was not read is not claimed."""

from __future__ import annotations

import base64
import json

import pytest
from support.hub import MASTER_KEY

from poller.sources.registry import SOURCES

ALL = SOURCES["volunteer"].resources
LISTED = {"users", "projects", "project_dates"}


@pytest.fixture
def verify(fleet, monkeypatch):
    """The command, with its answer by resource."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())

    def call(customer_id, *options):
        outcome = fleet("verify", customer_id, *options, "--json")
        return outcome.code, {each["resource"]: each for each in json.loads(outcome.out)["resources"]}

    return call


@pytest.fixture
def everything(hub, sandbox, organization):
    """A small account with all there is, applied."""

    def make(*resources, **settings):
        access = organization(users=8, **settings)
        sandbox.create_tags(access.name)
        hub.onboard(access, create="direct")
        for name in resources or ALL:
            hub.poll(access.name, name)
        hub.deliver_all(access.name)
        return access.name

    return make


def test_every_kind_is_equal_after_everything_is_applied_and_what_was_not_read_is_not_claimed(
    everything, verify, sandbox
):
    name = everything(volunteer_module=True)

    code, found = verify(name)
    assert code == 0
    assert {each for each, row in found.items() if row["outcome"] == "equal"} == LISTED
    assert all("not listable" in row["notes"][0] for each, row in found.items() if each not in LISTED)

    code, found = verify(name, "--deep")
    assert code == 0
    assert {row["outcome"] for row in found.values()} == {"equal"}
    assert found["participations"]["held"] == found["participations"]["expected"] > 0
    assert found["participations"]["how"] == "one by one"

    for tag in sandbox.export(name)["destination"]["tags"]:
        sandbox.delete_tag(name, tag["id"])
    code, found = verify(name, "--deep", "--resource", "group_members")
    members = found["group_members"]
    assert (code, members["held"], members["by_drift"]) == (1, 0, {"lost": members["expected"]})


def test_where_there_is_no_volunteer_module_nothing_is_said_to_be_lost(everything, verify):
    code, found = verify(
        everything("projects", "project_dates", volunteer_module=False), "--resource", "project_dates", "--deep"
    )
    assert (code, found["project_dates"]["outcome"]) == (2, "unchecked")
    assert "keeps nothing of it" in found["project_dates"]["notes"][0]
