"""Promise 2: each change has at most one effect at the destination, also where its API has no idempotency key."""

from __future__ import annotations

import pytest
from support.breaking import NeverLooks
from support.waiting import wait_until

DROPS = {"system": "crm", "route": "/api/Contact", "method": "POST", "kind": "drop_after_apply", "rate": 0.5}


def lose_half_of_the_answers(hub, organization, sandbox) -> str:
    """Direct creates, half of which will be applied and never answered."""
    access = organization(users=30)
    hub.onboard(access, create="direct")
    sandbox.add_faults(DROPS)
    hub.poll(access.name)
    return access.name


@pytest.mark.slow
def test_a_create_that_was_applied_but_never_answered_is_not_sent_again(hub, organization, sandbox, audited):
    hub.http_deadline_seconds = 0.5
    rebuild(hub)
    name = lose_half_of_the_answers(hub, organization, sandbox)
    wait_until(lambda: hub.deliver_all(name) or hub.is_done(name), seconds=90, what="all applied")

    report = audited()
    assert sum(rule["hits"] for rule in sandbox.faults()) > 5
    assert (report.total("missing"), report.total("duplicates")) == (0, 0)


@pytest.mark.slow
def test_a_worker_that_does_not_look_before_it_rewrites_doubles(hub, organization, sandbox, audited):
    """Broken on purpose: look-ups always answer "not there"."""
    hub.http_deadline_seconds = 0.5
    rebuild(hub)
    opened = hub.slice_parts.open_destination
    hub.with_slice_parts(open_destination=lambda customer, share: NeverLooks(opened(customer, share)))
    name = lose_half_of_the_answers(hub, organization, sandbox)

    wait_until(lambda: hub.deliver_all(name) or audited().total("duplicates"), seconds=60, what="a duplicate")


@pytest.mark.slow
def test_a_record_that_a_lookup_shows_late_is_not_created_twice(hub, organization, sandbox, audited):
    """The API's index lags behind its writes: not found is not proof until the lag has passed."""
    hub.http_deadline_seconds = 0.5
    rebuild(hub)
    access = organization(users=6, index_lag_seconds=2)
    hub.onboard(access, create="direct", visibility_seconds=3)
    sandbox.add_faults({**DROPS, "rate": 1.0})
    hub.poll(access.name)
    hub.deliver_all(access.name)
    sandbox.clear_faults()
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=60, what="all applied")

    report = audited()
    assert (report.total("missing"), report.total("duplicates")) == (0, 0)


@pytest.mark.slow
def test_a_batch_without_an_answer_is_resolved_per_reference(hub, organization, sandbox, audited):
    hub.http_deadline_seconds = 0.5
    rebuild(hub)
    access = organization(users=40)
    hub.onboard(access)
    sandbox.add_faults({**DROPS, "route": "/api/Contact/Batch", "rate": 0.5})
    hub.poll(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=60, what="all applied")

    report = audited()
    assert (report.total("missing"), report.total("duplicates")) == (0, 0)


def rebuild(hub) -> None:
    """Take over a changed deadline."""
    hub.close()
    hub.__post_init__()
