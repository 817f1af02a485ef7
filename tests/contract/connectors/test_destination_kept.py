"""What staff have set on a contact stays: its type, and who is in it."""

from __future__ import annotations

import pytest
from support.builders import a_person
from support.labelling import Labelling

from common.domain.resources import USERS
from common.domain.writes import Applied, Matched, Refused
from common.http.client import make_transport

TYPE = "Organization"


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def desk(organization, transport, sandbox):
    return lambda **settings: Labelling(organization(users=0), transport, sandbox, deadline_seconds=5.0, **settings)


def made(it, number):
    """By staff, of a type of their own, with the reference that a link leaves."""
    method = {"type": "Home Email", "value": f"p{number}@example.org", "isPrimary": True}
    names = {"firstName": "Fenmar", "lastName": f"Quonox{number}", "isPrimary": True, "contactMethods": [method]}
    body = {"contactType": TYPE, "name": f"Quonox {number}", "contactIndividuals": [names]}
    referenced = {"referenceSource": "Syncfleet", "referenceId": str(number)}
    there = it.staff("POST", "/api/Contact", {**body, **referenced})
    individual = str(there["contactIndividuals"][0]["id"])
    return it.link(it.key(USERS, str(number)), str(there["id"]), {"individual_id": individual})


def person(it, number, **changes):
    desired = a_person(first_name="Fenmar", last_name=f"Quonox{number}", email=f"p{number}@example.org", **changes)
    return it.write(USERS, str(number), desired)


def test_many_updates_leave_every_contact_its_type(desk):
    it = desk()
    for number in range(6):
        made(it, number)
    answers = it.apply(*[person(it, number, phone=f"555-010{number}") for number in range(6)])
    it.sandbox.run_import(it.access.name)

    assert {type(answer) for answer in answers} == {Applied}
    assert {row["contactType"] for row in it.shown("contacts")} == {TYPE}


def test_a_contact_of_another_type_that_an_import_would_find_is_linked_and_keeps_its_type(desk):
    it = desk(create="batch")
    body = {"contactType": TYPE, "name": "Quonox", "contactIndividuals": [
        {"firstName": "Fenmar", "lastName": "Quonox1", "contactMethods": [
            {"type": "Home Email", "value": "p1@example.org", "isPrimary": True},
        ]},
    ]}  # fmt: skip
    there = it.staff("POST", "/api/Contact", body)
    write = person(it, 1)
    match = it.destination.match([write])[write.entity]
    assert isinstance(match, Matched)
    assert (match.destination_id, match.rung) == (str(there["id"]), "email")

    it.link(write.entity, match.destination_id, match.details)
    (answer,) = it.apply(person(it, 1))
    assert isinstance(answer, Applied)
    assert [row["contactType"] for row in it.shown("contacts")] == [TYPE]


def test_a_person_whom_staff_took_out_of_the_contact_is_not_put_back_without_a_word(desk):
    it = desk()
    link = made(it, 1)
    made(it, 2)
    other = {"contactId": int(link.destination_id), "firstName": "Else", "lastName": "Quonox"}
    it.staff("POST", "/api/ContactIndividual", other)
    it.staff("DELETE", f"/api/ContactIndividual/{link.details['individual_id']}")
    gone, well = it.apply(person(it, 1, phone="555-0142"), person(it, 2, phone="555-0143"))

    assert isinstance(gone, Refused)
    assert (gone.refusal.reason, gone.refusal.field) == ("person_gone", "id")
    assert f"contact {link.destination_id}" in gone.refusal.message
    assert isinstance(well, Applied)
    assert it.requests()["POST /api/ContactIndividual"] == 1
