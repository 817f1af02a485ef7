"""Attacks on the processor: events put straight into the outbox, on real servers, in the order that should hurt."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress

import pytest
from sqlalchemy.exc import IntegrityError
from support.attacking import Desk, DiesAfter, DiesAfterwards, DiesAt
from support.breaking import Killed
from support.waiting import wait_until

from common.domain.events import Action
from common.domain.identities import EmailUse
from common.domain.writes import Link
from common.storage.emails import use


@pytest.fixture
def desk(hub, sandbox, organization):
    def make(*, create="direct", organization_settings=None, **destination):
        access = organization(users=0, **(organization_settings or {}))
        hub.onboard(access, create=create, **destination)
        return Desk(hub, sandbox, access)

    return make


def test_a_restored_person_is_shown_again_although_the_first_attempt_failed(desk):
    it = desk()
    it.put("1")
    it.settle()
    it.put("1", Action.DELETE)
    it.settle()
    assert [row["isArchived"] for row in it.contacts()] == [True]
    it.put("1", phone="555-0100")
    it.fault("error", status=503, method="PUT", route="/api/Contact/Unarchive/")
    it.deliver()
    it.sandbox.clear_faults()
    it.settle()

    assert it.open_reviews() == set()
    assert [row["isArchived"] for row in it.contacts()] == [False]


def test_an_unanswered_create_whose_person_took_the_address_of_another_stops_nobody(desk):
    it = desk()
    it.put("1", email="taken@example.org")
    it.settle()
    it.fault("drop_before_apply", method="POST", route="/api/Contact")
    it.put("2", email="first@example.org")
    it.deliver()
    it.sandbox.clear_faults()
    it.put("2", email="taken@example.org")
    it.settle()

    assert it.open_reviews() == {("2", "email_taken")}


def test_an_address_of_someone_who_never_came_and_is_gone_is_free(desk):
    it = desk()
    it.fault("error", status=422, method="POST", route="/api/Contact")
    it.put("1", email="same@example.org")
    it.deliver()
    it.sandbox.clear_faults()
    it.put("1", Action.DELETE, email="same@example.org")
    it.settle()
    it.put("2", email="same@example.org")
    it.settle()

    assert it.open_reviews() == set()
    assert len(it.contacts()) == 1


def test_a_letter_of_someone_who_is_gone_since_creates_nobody_when_it_is_replayed(desk):
    it = desk()
    it.fault("error", status=422, method="POST", route="/api/Contact")
    it.put("1")
    it.deliver()
    it.sandbox.clear_faults()
    letters = list(it.hub.dead_letters.list(it.access.name))
    it.put("1", Action.DELETE)
    it.settle()
    for letter in letters:
        it.hub.dead_letters.replay(letter, it.hub.clock.now())
    it.settle()

    assert it.contacts() == []


def test_a_contact_of_two_people_is_not_archived_for_one_of_them(desk):
    it = desk()
    it.put("1")
    it.put("2")
    it.settle()
    one, two = (row["id"] for row in it.contacts())
    it.sandbox.merge_contacts(it.access.name, loser=two, winner=one)
    it.put("2", phone="555-0101")
    it.settle()
    it.put("2", Action.DELETE)
    it.settle()

    assert {row["id"]: row["isArchived"] for row in it.contacts()}[one] is False


def test_contacts_that_were_merged_in_a_circle_do_not_eat_the_budget(desk):
    it = desk()
    it.put("1")
    it.put("2")
    it.settle()
    one, two = (row["id"] for row in it.contacts())
    it.sandbox.merge_contacts(it.access.name, loser=two, winner=one)
    it.sandbox.merge_contacts(it.access.name, loser=one, winner=two)
    it.put("1", phone="555-0101")
    it.deliver(rounds=20)


def test_an_address_that_the_source_no_longer_tells_is_still_its_owners(desk):
    it = desk(create="batch")
    it.put("1", email="same@example.org")
    it.settle()
    it.put("1", email="")
    it.settle()
    assert it.owner("same@example.org") == it.entity("1")
    it.put("2", email="same@example.org", first_name="Another", last_name="Person")
    it.settle()

    assert it.open_reviews() == {("2", "email_taken")}


def test_an_address_that_came_by_an_import_has_an_owner(desk):
    it = desk(create="batch", update="batch", batch_updates_from=1)
    it.put("1", email="")
    it.put("3", email="")
    it.settle()
    it.put("1", email="same@example.org")
    it.put("3", email="other@example.org")
    it.settle()
    assert it.owner("same@example.org") == it.entity("1")
    it.put("2", email="same@example.org", first_name="Another", last_name="Person")
    it.settle()

    assert it.open_reviews() == {("2", "email_taken")}


@pytest.mark.parametrize("create", ["direct", "batch"])
def test_a_second_person_does_not_overwrite_a_contact_that_is_linked_already(desk, create):
    it = desk(create=create)
    it.put("1", email="one@example.org")
    it.settle()
    (contact,) = it.contacts()
    it.sandbox.change_contact(it.access.name, contact["id"], email="two@example.org")
    it.put("2", email="two@example.org", first_name="Another", last_name="Person")
    it.settle()

    assert [row["firstName"] for row in it.contacts()[0]["contactIndividuals"]] == ["Fenmar"]
    assert it.open_reviews() == {("2", "email_taken")}


def test_a_decision_to_create_ends_a_held_import(desk):
    it = desk(create="batch", organization_settings={"import_mode": "by_hand"})
    it.put("1")
    it.deliver()
    with it.hub.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE writes SET started_at = now() - interval '73 hours'")
    it.later()
    it.deliver()
    assert it.open_reviews() == {("1", "held_import")}
    it.reviews.create(it.entity("1"), it.hub.clock.now())
    it.deliver()

    assert len(it.contacts()) == 1
    assert it.states() == {"applied": 1}


@pytest.mark.parametrize("kind", ["drop_after_apply", "drop_before_apply"])
def test_who_is_wanted_again_while_the_archiving_is_unanswered_is_shown(desk, kind):
    it = desk()
    it.put("1")
    it.settle()
    it.put("1", Action.DELETE)
    it.fault(kind, method="PUT", route="/api/Contact/Archive/")
    it.deliver()
    it.sandbox.clear_faults()
    it.put("1")
    it.settle()

    assert it.open_reviews() == set()
    assert [row["isArchived"] for row in it.contacts()] == [False]


def test_who_is_wanted_again_although_a_worker_died_while_it_archived_is_shown(desk):
    it = desk()
    it.put("1")
    it.settle()
    it.put("1", Action.DELETE)
    parts = it.hub.slice_parts
    it.hub.with_slice_parts(open_destination=lambda *given: DiesAfterwards(parts.open_destination(*given)))
    with pytest.raises(Killed):
        it.deliver()
    it.hub.with_slice_parts(open_destination=parts.open_destination)
    it.put("1")
    it.settle()

    assert it.open_reviews() == set()
    assert [row["isArchived"] for row in it.contacts()] == [False]


def test_whose_contact_was_archived_by_staff_is_kept_in_step_with_the_one_that_a_person_says(desk):
    it = desk()
    it.put("1")
    it.settle()
    (archived,) = (row["id"] for row in it.contacts())
    it.sandbox.archive_contact(it.access.name, archived)
    it.put("1", phone="555-0101")
    it.settle()
    assert it.open_reviews() == {("1", "archived")}
    other = it.sandbox.create_contact(
        it.access.name, contactType="Household", contactIndividuals=[{"firstName": "F", "lastName": "Q"}]
    )
    it.reviews.link(Link(entity=it.entity("1"), destination_id=str(other["id"])), it.hub.clock.now())
    it.settle()

    (kept,) = (row for row in it.contacts() if row["id"] == other["id"])
    assert "555-0101" in {method["value"] for each in kept["contactIndividuals"] for method in each["contactMethods"]}
    assert it.open_reviews() == set()


def test_the_last_of_two_people_on_a_contact_takes_it_along(desk):
    it = desk()
    it.put("1")
    it.put("2")
    it.settle()
    one, two = (row["id"] for row in it.contacts())
    it.sandbox.merge_contacts(it.access.name, loser=two, winner=one)
    it.put("2", phone="555-0101")
    it.settle()
    it.put("2", Action.DELETE)
    it.put("1", Action.DELETE)
    it.settle()

    assert {row["id"]: row["isArchived"] for row in it.contacts()}[one] is True


def test_two_of_a_family_who_come_together_join_the_household_that_is_there(desk):
    it = desk()
    home = {"address1": "12 Main St", "city": "Plano", "state": "TX", "postal": "75074", "isPrimary": True}
    it.sandbox.create_contact(
        it.access.name,
        contactType="Household",
        contactIndividuals=[{"firstName": "Elder", "lastName": "Quonox"}],
        contactAddresses=[home],
    )
    for number, name in enumerate(("Ana", "Bo")):
        it.put(number, first_name=name, address="12 Main St, Plano, TX 75074")
    it.settle()

    (contact,) = it.contacts()
    assert [each["firstName"] for each in contact["contactIndividuals"]] == ["Elder", "Ana", "Bo"]
    assert it.open_reviews() == set()


def test_two_workers_who_record_one_address_at_the_same_time_both_record_what_they_did(desk):
    it, failed = desk(), []

    def take(source_id, connection):
        use(connection, [EmailUse(entity=it.entity(source_id), email="same@example.org")], it.hub.clock.now())

    def take_too():
        try:
            with it.hub.engine.begin() as connection:
                take("2", connection)
        except IntegrityError as error:
            failed.append(error)

    other = threading.Thread(target=take_too)
    with it.hub.engine.begin() as connection:
        take("1", connection)
        other.start()
        wait_until(lambda: _somebody_waits(it.hub.engine), seconds=5, what="the other to wait for us")
    other.join(5)

    assert failed == []
    assert it.owner("same@example.org") == it.entity("1")


def _dying(opened, dies, at):
    count = itertools.count(1)
    return lambda *given: dies(opened(*given), count, at)


def _somebody_waits(engine):
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    with engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar_one()


def test_workers_that_die_while_they_bisect_lose_and_double_nobody(desk):
    """Before or after each request in turn; one of nine is poison, which ends alone."""
    it = desk(create="batch")
    for number in range(9):
        it.put(number, email="not an address" if number == 4 else f"p{number}@example.org")
    parts = it.hub.slice_parts
    for at in range(1, 7):
        for dies in (DiesAt, DiesAfter):
            it.hub.with_slice_parts(open_destination=_dying(parts.open_destination, dies, at))
            with suppress(Killed):
                it.deliver()
            it.later()
    it.hub.with_slice_parts(open_destination=parts.open_destination)
    it.settle()

    references = [reference["id"] for row in it.contacts() for reference in row["contactReferences"]]
    assert sorted(references) == [str(number) for number in range(9) if number != 4]
    assert [letter.source_id for letter in it.hub.dead_letters.list(it.access.name)] == ["4"]
