"""Held imports: accepted without an id, visible later."""

from __future__ import annotations

import pytest
from support.waiting import wait_until

from common.storage.reviews import PostgresReviews
from processor.destinations.crm_plus.contacts_read import SINGLE_READS


def test_a_submission_is_confirmed_once_the_import_has_run(hub, organization, sandbox):
    access = organization(users=20, import_mode="by_hand")
    hub.onboard(access)
    hub.poll(access.name)
    hub.deliver_all(access.name)
    assert hub.states(access.name) == {"submitted": 20}

    sandbox.run_import(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="confirmation")
    assert hub.states(access.name) == {"applied": 20}


def test_sixty_submissions_of_four_partitions_are_sent_and_confirmed_in_four_requests(hub, organization, sandbox):
    access = organization(users=60, import_mode="by_hand")
    hub.onboard(access)
    hub.poll(access.name)
    hub.deliver_all(access.name)
    sandbox.run_import(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="confirmation")

    sent = [entry for entry in sandbox.journal() if entry["organization"] == access.name and entry["system"] == "crm"]
    # One question who is there already, one batch of all partitions, and its looks.
    assert sum(entry["method"] != "IMPORT" for entry in sent) <= 1 + 1 + 2


def test_a_change_made_while_the_import_is_held_arrives_after_it_and_in_order(hub, organization, sandbox):
    access = organization(users=1, import_mode="by_hand")
    hub.onboard(access)
    hub.poll(access.name)
    hub.deliver_all(access.name)
    user_id = int(next(iter(sandbox.export(access.name)["source"]["users"])))
    sandbox.change_user(access.name, user_id, phone="555-0142")
    hub.poll(access.name)
    hub.deliver_all(access.name)
    assert hub.states(access.name) == {"submitted": 1, "pending": 1}

    sandbox.run_import(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="both")
    assert hub.states(access.name) == {"applied": 2}
    (contact,) = sandbox.export(access.name)["destination"]["contacts"]
    phones = [m for m in contact["contactIndividuals"][0]["contactMethods"] if "Phone" in m["type"]]
    assert [m["value"] for m in phones if m["isPrimary"]] == ["555-0142"]


def test_an_email_change_updates_the_linked_person_and_makes_no_second_one(hub, organization, sandbox):
    access = organization(users=3)
    hub.onboard(access)
    hub.poll(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="three contacts")
    user_id = int(next(iter(sandbox.export(access.name)["source"]["users"])))
    sandbox.change_user(access.name, user_id, email="quite.another@example.org")
    hub.poll(access.name)
    wait_until(lambda: hub.deliver_all(access.name) or hub.is_done(access.name), seconds=20, what="the change")

    contacts = sandbox.export(access.name)["destination"]["contacts"]
    assert len(contacts) == 3
    methods = [m for row in contacts for m in row["contactIndividuals"][0]["contactMethods"]]
    assert [m["isPrimary"] for m in methods if m["value"] == "quite.another@example.org"] == [True]


@pytest.mark.parametrize("archived", [1, SINGLE_READS + 1])
def test_who_was_archived_before_the_import_was_seen_waits_for_a_person(hub, organization, sandbox, archived):
    """Few are looked for by reference, and many by a query."""
    access = organization(users=8, import_mode="by_hand")
    hub.onboard(access)
    hub.poll(access.name)
    hub.deliver_all(access.name)
    sandbox.run_import(access.name)
    hidden = [row["id"] for row in sandbox.export(access.name)["destination"]["contacts"][:archived]]
    for contact_id in hidden:
        sandbox.archive_contact(access.name, contact_id)
    wait_until(lambda: len(reviews(hub, access.name)) == archived, seconds=15, what="questions about who was archived")

    assert sorted(reviews(hub, access.name)) == sorted(("archived", [str(contact_id)]) for contact_id in hidden)
    assert hub.states(access.name) == {"pending": archived, "applied": 8 - archived}


def reviews(hub, name):
    hub.deliver_all(name)
    return [(str(row.kind), row.candidates) for row in PostgresReviews(hub.engine).open(name, limit=9)]
