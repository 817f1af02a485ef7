"""What `celery -A poller.app call poller.poll` does for a layer is what `fleet reconcile` asks for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.hub import Hub

from common.domain.layers import Layer
from common.domain.resources import USERS
from common.queueing.celery_app import make_app
from common.queueing.names import POLL
from poller.sources import registry
from poller.tasks import declare_tasks


@pytest.fixture
def call(hub: Hub, servers):
    """The task itself, with what a message holds, on the hub's own parts."""
    polls = SimpleNamespace(taken=lambda *_: None)
    parts = SimpleNamespace(
        customers=hub.customers, run_parts=hub.run_parts, plans=hub.plans, polls=polls, resources=registry.resources
    )
    app = make_app("t", servers.broker_url, log_format="text", log_level="ERROR")
    declare_tasks(app, lambda: parts)
    yield app.tasks[POLL]
    app.close()


@pytest.fixture
def missed(hub, organization, sandbox):
    """A customer with somebody whom the checkpoint has passed, and somebody who was deleted."""
    access = organization(users=3)
    hub.onboard(access)
    hub.poll(access.name)
    users = sorted(sandbox.export(access.name)["source"]["users"], key=int)
    sandbox.create_user(access.name)
    sandbox.delete_user(access.name, int(users[-1]))
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE checkpoints SET position = now() + interval '1 day'")
    return access.name


def counted(hub, customer_id, layer):
    """Of the layer's run of the users: detected and deleted."""
    (report,) = [run for run in hub.overview.runs(customer_id) if (run.resource, run.origin) == (USERS, layer)]
    assert report.state == "completed"
    return report.counts.detected, report.counts.deleted


@pytest.mark.parametrize(("layer", "found"), [(Layer.RECONCILIATION, (1, 0)), (Layer.FULL, (1, 1))])
def test_a_call_by_hand_reads_the_layer_at_once(hub, call, missed, layer, found):
    call(customer_id=missed, layer=layer, by_hand=True)

    assert counted(hub, missed, layer) == found
    origins = {run.origin for run in hub.overview.runs(missed) if run.resource != USERS}
    assert origins == {layer}


def test_without_by_hand_it_waits_for_its_slot(hub, call, missed):
    call(customer_id=missed, layer=Layer.RECONCILIATION)

    assert {run.origin for run in hub.overview.runs(missed)} == {"backfill"}
