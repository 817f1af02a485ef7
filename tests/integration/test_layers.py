"""Reconciliation finds what polling missed; the night's run does what polls would."""

from __future__ import annotations

from support.waiting import wait_until

from common.domain.customers import System
from common.domain.layers import Layer
from poller import runs


def test_reconciliation_finds_a_change_that_the_checkpoint_has_passed(hub, organization, sandbox):
    """The checkpoint is ahead of it, as after a restored backup: polling never sees it again."""
    access = organization(users=5)
    customer = hub.onboard(access)
    hub.poll(access.name)
    sandbox.create_user(access.name)
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE checkpoints SET position = now() + interval '1 day'")
    hub.poll(access.name)
    detected = sum(run.counts.detected for run in hub.overview.runs(access.name))

    assert runs.run(hub.run_parts, customer, "users", Layer.RECONCILIATION) == "completed"
    report = next(run for run in hub.overview.runs(access.name) if run.origin == "reconciliation")
    assert (detected, report.counts.detected) == (5, 1)


def test_reconciliation_leaves_the_checkpoint_where_it_is(hub, organization):
    access = organization(users=3)
    customer = hub.onboard(access)
    hub.poll(access.name)
    (row,) = [r for r in hub.overview.customers() if r.customer_id == access.name]
    runs.run(hub.run_parts, customer, "users", Layer.RECONCILIATION)

    (again,) = [r for r in hub.overview.customers() if r.customer_id == access.name]
    assert again.checkpoint == row.checkpoint
    assert System.SOURCE not in again.breakers


def test_one_run_at_a_time_over_all_layers(hub, organization):
    access = organization(users=3)
    customer = hub.onboard(access)
    with hub.locks.try_hold(f"run/{access.name}/users"):
        assert runs.run(hub.run_parts, customer, "users", Layer.RECONCILIATION) is None
    wait_until(lambda: runs.run(hub.run_parts, customer, "users", Layer.RECONCILIATION), seconds=5, what="its turn")
