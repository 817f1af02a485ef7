"""`fleet deletions`: what the fuse holds, and a person's word on it; `fleet reconcile`: ask for what finds it."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from sqlalchemy import select
from support.hub import MASTER_KEY

from common.domain.layers import Layer
from common.domain.resources import USERS
from common.storage.tables import audit, checkpoints, events
from poller import runs
from poller.detectors.full import Full


@pytest.fixture
def fleet(fleet, monkeypatch):
    """With the hub's master key: commands and workers open the same tokens."""
    monkeypatch.setenv("FLEET_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    return fleet


@pytest.fixture
def acme(hub, organization):
    """Twenty users that were polled, and a fuse of nothing."""
    hub.with_run_parts(full=Full(absence=timedelta(0)))
    access = organization(users=20)
    hub.onboard(access, source_settings={"deletion_fuse_percent": 0, "deletion_fuse_records": 0})
    hub.poll(access.name)
    return access.name


@pytest.fixture
def held(hub, sandbox, acme):
    """Two users that were deleted at the source and are held; their ids."""
    gone = sorted(sandbox.export(acme)["source"]["users"], key=int)[:2]
    for user_id in gone:
        sandbox.delete_user(acme, int(user_id))
    scan(hub, acme)
    return gone


def scan(hub, customer_id, layer=Layer.FULL):
    return runs.run(hub.run_parts, hub.customers.get(customer_id), USERS, layer, only_if_due=layer is not Layer.FULL)


def deleted(engine, customer_id):
    query = select(events.c.source_id, events.c.origin).filter_by(customer_id=customer_id, action="delete")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(events.c.source_id))]


def noted(engine, customer_id):
    query = select(audit.c.action, audit.c.detail).filter_by(customer_id=customer_id).order_by(audit.c.audit_id)
    with engine.connect() as connection:
        return tuple(connection.execute(query).all()[-1])


def progress(engine, customer_id, layer):
    query = select(checkpoints.c.resource, checkpoints.c.progress).filter_by(customer_id=customer_id, layer=layer)
    with engine.connect() as connection:
        return dict(map(tuple, connection.execute(query)))


def test_what_is_held_is_listed_and_stands_in_the_status(fleet, acme, held):
    (row,) = fleet("deletions", "list", "--json").data["deletions"]
    assert (row["customer_id"], row["resource"], row["count"], row["records"]) == (acme, "users", 2, 20)
    assert row["examples"] == sorted(held)
    assert "2 held" in fleet("deletions", "list", acme).out
    assert fleet("deletions", "list", "--resource", "projects", "--json").data["deletions"] == []

    (line,) = fleet("status", "--json").data["customers"]
    assert line["held_deletions"]["resources"] == {"users": 2}
    told = " ".join(fleet("status").out.split())
    assert f"2 users seem to be deleted at the source, which is held: `fleet deletions list {acme}`" in told


def test_a_dry_run_says_what_would_be_and_changes_nothing(fleet, acme, held, engine):
    outcome = fleet("deletions", "approve", acme, "--dry-run")

    assert outcome.out.strip() == f"{acme}: 2 deletions of 20 users would be approved"
    assert deleted(engine, acme) == []
    assert len(held) == 2


def test_approved_they_are_events_and_a_delivery(fleet, acme, held, engine, redis):
    outcome = fleet("deletions", "approve", acme, "--yes", "--why", "they left", "--json")

    assert (outcome.data["decision"], outcome.data["done"]) == ("approved", 2)
    assert deleted(engine, acme) == [(each, "full") for each in sorted(held)]
    assert noted(engine, acme) == ("deletions.approved", "all: they left")
    assert redis.llen(f"events.{acme}") == 1
    again = fleet("deletions", "approve", acme, "--yes")
    assert (again.code, again.err) == (
        1, f"error: customer '{acme}': no deletion is held; see `fleet deletions list`\n",
    )  # fmt: skip


def test_rejected_they_stay_and_the_next_scan_asks_again(fleet, acme, held, engine, hub):
    assert fleet("deletions", "reject", acme, "--resource", "users", "--yes", "--json").data["done"] == 2

    assert deleted(engine, acme) == []
    assert fleet("deletions", "list", "--json").data["deletions"] == []
    scan(hub, acme)
    assert fleet("deletions", "list", "--json").data["deletions"][0]["count"] == len(held)


def test_nothing_is_decided_without_a_persons_word(fleet, acme, held, engine):
    assert fleet("deletions", "approve", acme).code == 2
    other = fleet("deletions", "approve", acme, typed="another\n")
    assert (other.code, "nothing was changed" in other.err) == (1, True)
    assert deleted(engine, acme) == []

    assert fleet("deletions", "approve", acme, typed=f"{acme}\n").code == 0
    assert len(deleted(engine, acme)) == len(held)


def test_a_full_scan_is_asked_for_and_kept_until_a_worker_takes_it(fleet, acme, engine, hub, redis):
    data = fleet("reconcile", acme, "--full", "--resource", "users", "--json").data

    assert [(row["resource"], row["records"], row["is_new"]) for row in data["resources"]] == [("users", 20, True)]
    assert data["resources"][0]["requests"] >= 2
    assert redis.llen("poll.priority") == 1
    (due,) = [run for run in hub.overview.due_runs(hub.clock.now()) if run.layer is Layer.FULL]
    assert (due.customer_id, due.resources) == (acme, ("users",))
    again = fleet("reconcile", acme, "--full", "--json").data["resources"]
    assert {row["resource"]: row["is_new"] for row in again} == {"users": False, "projects": True}
    assert noted(engine, acme)[0] == "full.asked_for"
    assert runs.run(hub.run_parts, hub.customers.get(acme), USERS, Layer.FULL, only_if_due=True) == "completed"


def test_reconciliation_by_hand_reads_from_the_moment_that_was_given(fleet, acme, engine, hub):
    fleet("reconcile", acme, "--since", "2026-01-31T06:00", "--resource", "users")

    assert progress(engine, acme, Layer.RECONCILIATION)["users"]["since"] == "2026-01-31T06:00:00+00:00"
    assert scan(hub, acme, Layer.RECONCILIATION) == "completed"
    assert scan(hub, acme, Layer.RECONCILIATION) is None


def test_a_dry_run_of_a_reconciliation_costs_nothing_and_starts_nothing(fleet, acme, engine, redis):
    data = fleet("reconcile", acme, "--dry-run", "--json").data

    assert (data["layer"], data["dry_run"]) == ("reconciliation", True)
    assert {row["resource"] for row in data["resources"]} == {"users", "projects"}
    assert progress(engine, acme, Layer.RECONCILIATION) == {}
    assert redis.llen("poll.priority") == 0
    assert "requests in all" in fleet("reconcile", acme, "--full", "--dry-run").out


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        (("--full", "--since", "7d"), "leave out --since"),
        (("--resource", "groups"), "groups is compared whole each time it is read; this is for users, projects"),
        (("--resource", "persons"), "'persons' is none of users, projects"),
        (("--since", "yesterday"), "is neither an age"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line_with_the_mend(fleet, acme, options, mend):
    outcome = fleet("reconcile", acme, *options)

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert mend in outcome.err
