"""Who is who: addresses have one owner, ambiguous people wait, and a person's decision is carried out."""

from __future__ import annotations

import pytest
from support.waiting import wait_until

from common.domain.entities import EntityKey
from common.domain.writes import Link
from common.storage.emails import history_of
from common.storage.reviews import PostgresReviews


@pytest.fixture
def acme(hub, sandbox, organization):
    """Nobody yet; contacts are created at once."""
    access = organization(users=0)
    hub.onboard(access, create="direct")
    return access


def entity(access, user):
    return EntityKey(customer_id=access.name, resource="users", source_id=str(user["id"]))


def settle(hub, access):
    hub.poll(access.name)
    hub.deliver_all(access.name)


def contacts(sandbox, access):
    return sandbox.export(access.name)["destination"]["contacts"]


def test_a_second_person_with_the_same_address_waits_for_a_decision(hub, sandbox, acme, engine):
    first = sandbox.create_user(acme.name, email="shared@example.org")
    settle(hub, acme)
    second = sandbox.create_user(acme.name, email="Shared@example.org")
    settle(hub, acme)

    (review,) = PostgresReviews(engine).open(acme.name, limit=9)
    assert (review.source_id, review.kind, len(review.candidates)) == (str(second["id"]), "email_taken", 1)
    assert len(contacts(sandbox, acme)) == 1
    assert hub.states(acme.name) == {"applied": 1, "pending": 1}
    assert str(first["id"]) in review.reason


def test_two_with_one_address_in_the_same_slice_are_not_both_created(hub, sandbox, acme, engine):
    for _ in range(2):
        sandbox.create_user(acme.name, email="shared@example.org")
    settle(hub, acme)

    assert len(contacts(sandbox, acme)) == 1
    assert len(PostgresReviews(engine).open(acme.name, limit=9)) == 1


def test_a_decision_to_create_makes_a_second_contact(hub, sandbox, acme, engine):
    for _ in range(2):
        sandbox.create_user(acme.name, email="shared@example.org")
    settle(hub, acme)
    reviews = PostgresReviews(engine)
    (review,) = reviews.open(acme.name, limit=9)
    reviews.create(EntityKey(customer_id=acme.name, resource="users", source_id=review.source_id), hub.clock.now())
    hub.deliver_all(acme.name)

    assert len(contacts(sandbox, acme)) == 2
    assert reviews.open(acme.name, limit=9) == []


def test_a_decision_to_link_keeps_the_linked_contact_in_step_and_makes_no_other(hub, sandbox, acme, engine):
    sandbox.create_user(acme.name, email="shared@example.org")
    settle(hub, acme)
    second = sandbox.create_user(acme.name, email="shared@example.org", phone="555-0199")
    settle(hub, acme)
    reviews = PostgresReviews(engine)
    (review,) = reviews.open(acme.name, limit=9)
    link = Link(entity=entity(acme, second), destination_id=review.candidates[0], details={"adopted": True})
    reviews.link(link, hub.clock.now())
    hub.deliver_all(acme.name)

    (contact,) = contacts(sandbox, acme)
    values = [method["value"] for method in contact["contactIndividuals"][0]["contactMethods"]]
    assert "555-0199" in values
    assert hub.states(acme.name) == {"applied": 2}


def test_a_person_who_moves_to_another_address_leaves_the_old_one_to_others_and_it_stays_in_the_history(
    hub, sandbox, acme, engine
):
    first = sandbox.create_user(acme.name, email="old@example.org")
    settle(hub, acme)
    sandbox.change_user(acme.name, first["id"], email="new@example.org")
    settle(hub, acme)
    sandbox.create_user(acme.name, email="old@example.org")
    wait_until(lambda: settle(hub, acme) or hub.states(acme.name) == {"applied": 3}, seconds=20, what="all applied")

    assert len(contacts(sandbox, acme)) == 2
    with engine.connect() as connection:
        history = history_of(connection, entity(acme, first))
    assert [(email, left_at is None) for email, _, left_at in history] == [
        ("new@example.org", True), ("old@example.org", False),
    ]  # fmt: skip
