"""Promise 7, as far as it applies yet: nothing in this release deletes or archives anything at the destination.

Reconciliation, which may propose deletions, is a later layer; what must hold already is that no short, empty,
truncated or
repeated answer, and no hard delete at the source, takes anything away.
"""

from __future__ import annotations

import pytest
from support.waiting import wait_until

LIES = (
    {"kind": "truncate_page", "rate": 1.0},
    {"kind": "repeat_page", "rate": 1.0},
    {"kind": "not_json", "rate": 1.0},
    {"kind": "error", "status": 404, "rate": 1.0},
)


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie["kind"])
def test_a_lying_answer_takes_nothing_away(hub, organization, sandbox, lie):
    name = bring(hub, organization, sandbox)
    before = contacts(sandbox, name)
    sandbox.add_faults({"system": "volunteer", **lie})
    forget_the_checkpoint(hub)
    hub.poll(name)
    hub.deliver_all(name)

    assert contacts(sandbox, name) == before


def test_a_hard_delete_at_the_source_takes_nothing_away_without_evidence(hub, organization, sandbox):
    name = bring(hub, organization, sandbox)
    user_id = next(iter(sandbox.export(name)["source"]["users"]))
    sandbox.delete_user(name, int(user_id))
    forget_the_checkpoint(hub)
    hub.poll(name)
    hub.deliver_all(name)

    assert len(contacts(sandbox, name)) == 20


def test_an_archived_contact_would_be_noticed(hub, organization, sandbox):
    """Broken on purpose: somebody archives a contact through the API, with our key."""
    name = bring(hub, organization, sandbox)
    before = contacts(sandbox, name)
    archive_one(hub, name)

    assert contacts(sandbox, name) != before


def archive_one(hub, name) -> None:
    customer = hub.customers.get(name)
    token = hub.vault.open(name, "destination").get_secret_value()
    with hub.engine.connect() as connection:
        contact_id = connection.exec_driver_sql("SELECT min(destination_id) FROM links").scalar_one()
    url = f"{customer.destination_settings['base_url']}/api/Contact/Archive/{contact_id}"
    answer = hub.transport.put(url, json={"archiveReason": "test"}, headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()


def bring(hub, organization, sandbox) -> str:
    access = organization(users=20)
    hub.onboard(access)
    hub.poll(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="all applied")
    return access.name


def contacts(sandbox, name) -> dict[int, bool]:
    """Every contact, and whether it is archived."""
    return {row["id"]: row["isArchived"] for row in sandbox.export(name)["destination"]["contacts"]}


def forget_the_checkpoint(hub) -> None:
    """So that the next poll reads everything again."""
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE checkpoints SET position = NULL, progress = NULL")
