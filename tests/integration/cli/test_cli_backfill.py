"""`fleet backfill`, its hours, and how far it is in `fleet status`."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import select, update
from support.hub import MASTER_KEY

from common.domain.customers import Customer
from common.storage.tables import checkpoints
from common.storage.tables import customers as customers_table
from poller.detectors.backfill import Backfill


@pytest.fixture
def fleet(fleet, monkeypatch):
    """With the hub's master key: commands and workers open the same tokens."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    return fleet


@pytest.fixture
def half_read(hub, organization, engine):
    """A customer whose users are read in part: as many polls as it takes for the first window to be sealed."""
    access = organization(users=150)
    hub.onboard(access)
    hub.with_run_parts(backfill=Backfill(target=40), slice_seconds=-1.0)
    for _ in range(40):
        hub.poll(access.name)
        if read_of(access.name, engine):
            return access.name
    raise AssertionError("no window was sealed in 40 polls")


def read_of(customer_id, engine):
    """Users that sealed windows of the backfill hold."""
    with engine.connect() as connection:
        progress = connection.scalar(
            select(checkpoints.c.progress).filter_by(customer_id=customer_id, resource="users")
        )
    return ((progress or {}).get("windows") or {}).get("read", 0)


def test_status_says_how_far_a_backfill_is(fleet, half_read):
    (row,) = fleet("status", half_read, "--json").data["customers"]
    (users,) = row["backfilling"]

    assert (users["resource"], users["unit"], users["total"]) == ("users", "records", 150)
    assert 0 < users["read"] < 150
    assert f"{half_read}: backfilling users: {users['read']} of 150 records" in fleet("status", half_read).out
    assert fleet("schedule", half_read, "--json").data["backfilling"] == ["users"]


def test_a_dry_run_tells_the_cost_and_begins_nothing(fleet, hub, organization, engine):
    access = organization(users=40)
    hub.onboard(access)
    data = fleet("backfill", access.name, "--resource", "users", "--dry-run", "--json").data

    assert [(each["records"], each["requests"]) for each in data["costs"]] == [(40, 3)]
    with engine.connect() as connection:
        assert connection.execute(select(checkpoints)).all() == []


def test_it_is_begun_by_hand_and_a_worker_goes_on_with_it(fleet, hub, organization, actions):
    access = organization(users=5)
    hub.onboard(access)
    data = fleet("backfill", access.name, "--resource", "users", "--json").data
    assert (data["resources"], actions(access.name)[0]) == (["users"], "backfill.asked_for")

    assert hub.poll(access.name) == "completed"
    assert "is through" in fleet("backfill", access.name, "--resource", "users").out


def test_from_scratch_begins_again_whatever_is_under_way(fleet, hub, half_read):
    data = fleet("backfill", half_read, "--resource", "users", "--from-scratch", "--json").data

    (users,) = data["backfilling"]
    assert users["read"] == 0
    hub.with_run_parts(slice_seconds=60)
    assert hub.poll(half_read) == "completed"


@pytest.mark.parametrize(("option", "said"), [("user", "is none of"), ("groups", "is compared whole")])
def test_a_resource_that_cannot_be_begun_again_is_refused(fleet, hub, organization, option, said):
    access = organization(users=1)
    hub.onboard(access)
    outcome = fleet("backfill", access.name, "--resource", option, "--from-scratch")

    assert outcome.code != 0
    assert said in outcome.err


def test_hours_are_set_shown_refused_and_taken_back(fleet, hub, organization, engine):
    access = organization(users=1)
    hub.onboard(access)
    assert fleet("customers", "set", access.name, "--backfill-hours", "22:00-06:00").code == 0
    with engine.connect() as connection:
        assert connection.execute(select(customers_table.c.backfill_hours)).scalar_one() == "22:00-06:00"
    assert "22:00-06:00" in fleet("customers", "show", access.name).out
    refused = fleet("customers", "set", access.name, "--backfill-hours", "nights")
    assert (refused.code, "backfill_hours" in refused.err, "22:00-06:00" in refused.err) == (1, True, True)
    fleet("customers", "set", access.name, "--backfill-hours", "any")
    assert hub.customers.get(access.name).backfill_hours == Customer.backfill_hours


def test_a_backfill_that_waits_for_its_hours_says_until_when(fleet, hub, half_read, engine):
    fleet("customers", "set", half_read, "--backfill-hours", "22:00-06:00")
    with engine.begin() as connection:
        connection.execute(update(checkpoints).values(continue_at=hub.clock.now().replace(year=2090)))
    (row,) = fleet("status", half_read, "--json").data["customers"]

    assert row["backfilling"][0]["waits_until"].startswith("2090")
    assert row["backfilling"][0]["hours"] == "22:00-06:00"
