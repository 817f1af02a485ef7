"""People at CRM+: who is there already, many brought up to date at once, and what staff have done meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.builders import a_customer, a_person
from support.clients import an_api
from support.waiting import wait_until

from common.domain.clock import SystemClock
from common.domain.entities import EntityKey
from common.domain.writes import (
    Applied,
    Link,
    Matched,
    NeedsReview,
    Refused,
    Relinked,
    ReviewKind,
    Submitted,
    Write,
)
from common.http.client import make_transport
from common.storage.memory.references import MemoryReferenceCache
from processor.destinations.registry import DESTINATIONS

ADDRESS = "12 Main St, Plano, TX 75074, USA"


class Desk:
    """CRM+ bound to one organization of the sandbox."""

    def __init__(self, access, transport, sandbox, **settings):
        self.access, self.sandbox = access, sandbox
        api = an_api(access.crm_base_url, access.crm_token, transport=transport, deadline_seconds=5.0,
                     customer_id=access.name)  # fmt: skip
        base = {"create": "direct", "visibility_seconds": 0, **settings}
        customer = a_customer(access.name, destination_settings=base)
        self.destination = DESTINATIONS["crm_plus"].open(api, customer, SystemClock(), MemoryReferenceCache())

    def entity(self, source_id):
        return EntityKey(customer_id=self.access.name, resource="users", source_id=str(source_id))

    def write(self, source_id, link=None, **person):
        desired = a_person(**{"email": f"p{source_id}@example.org", **person})
        return Write(write_id=f"w{source_id}", entity=self.entity(source_id), event_id=1, version=1, desired=desired,
                     mapped_hash="hash", link=link)  # fmt: skip

    def created(self, *source_ids, **person):
        """Links to contacts that are there."""
        links = []
        for source_id in source_ids:
            (answer,) = self.destination.apply([self.write(source_id, **person)])
            links.append(self.linked(source_id, answer))
        return links

    def linked(self, source_id, answer):
        return Link(entity=self.entity(source_id), destination_id=answer.destination_id, details=answer.details)

    def contact(self, contact_id):
        found = self.sandbox.export(self.access.name)["destination"]["contacts"]
        return next(row for row in found if str(row["id"]) == str(contact_id))

    def values(self, contact_id, kind="email"):
        methods = [m for who in self.contact(contact_id)["contactIndividuals"] for m in who["contactMethods"]]
        return [method["value"] for method in methods if kind in method["type"].lower()]

    def requests(self, after=0):
        rows = self.sandbox.journal(after=after)
        own = [row for row in rows if row["organization"] == self.access.name and row["method"] != "IMPORT"]
        return [f"{row['method']} {row['route']}" for row in own if row["system"] == "crm"]


@pytest.fixture
def desk(organization, sandbox):
    opened = []

    def make(*, users=1, account=None, **settings):
        transport = make_transport(5.0)
        opened.append(transport)
        access = organization(users=users, **(account or {}))
        return Desk(access, transport, sandbox, **settings)

    yield make
    for transport in opened:
        transport.close()


def mark(sandbox):
    return max((row["seq"] for row in sandbox.journal()), default=0)


def test_a_hundred_linked_people_are_brought_up_to_date_in_two_requests(desk, sandbox):
    here = desk()
    links = here.created(*range(1, 13))
    before = mark(sandbox)
    answers = here.destination.apply([here.write(n + 1, link, phone=f"555-01{n:02}") for n, link in enumerate(links)])

    assert {type(answer) for answer in answers} == {Submitted}
    assert here.requests(before) == ["POST /api/Contact/Query/FullContact", "POST /api/Contact/Batch"]
    wait_until(lambda: here.values(links[0].destination_id, "phone") == ["555-0100"], seconds=10, what="the import")
    found = here.destination.look(
        [here.write(n + 1, link, phone=f"555-01{n:02}") for n, link in enumerate(links)], datetime.now(tz=UTC)
    )
    assert not any(
        here.destination.differs(here.write(n + 1, link, phone=f"555-01{n:02}"), found[here.entity(n + 1)])
        for n, link in enumerate(links)
    )


def test_few_go_singly_at_once_and_what_is_as_it_should_be_costs_no_write(desk, sandbox):
    here = desk()
    links = here.created(1, 2)
    before = mark(sandbox)
    answers = here.destination.apply([here.write(1, links[0], phone="555-0142"), here.write(2, links[1])])

    assert [answer.changed for answer in answers] == [True, False]
    assert [r for r in here.requests(before) if not r.startswith("GET")] == ["POST /api/ContactMethod"]


@pytest.mark.parametrize("count", [1, 8])
def test_a_changed_address_replaces_the_old_one_and_never_makes_a_second(desk, count):
    here = desk()
    links = here.created(*range(1, count + 1))
    answers = here.destination.apply(
        [here.write(n + 1, link, email=f"moved{n}@example.org") for n, link in enumerate(links)]
    )

    assert {type(answer) for answer in answers} == {Applied}
    assert [here.values(link.destination_id) for link in links] == [[f"moved{n}@example.org"] for n in range(count)]


def test_an_address_that_another_contact_has_is_refused_for_that_one_alone(desk):
    here = desk(account={"unique_emails": True})
    links = here.created(1, 2, 3)
    answers = here.destination.apply([
        here.write(1, links[0], email="p2@example.org"), here.write(3, links[2], email="new@example.org"),
    ])  # fmt: skip

    assert isinstance(answers[0], Refused)
    assert isinstance(answers[1], Applied)


def test_where_imports_wait_for_staff_updates_do_not(desk, sandbox):
    here = desk(imports="by_staff")
    links = here.created(*range(1, 8))
    answers = here.destination.apply([here.write(n + 1, link, phone="555-0199") for n, link in enumerate(links)])

    assert {type(answer) for answer in answers} == {Applied}


def test_a_contact_that_staff_archived_waits_for_a_person(desk, sandbox):
    here = desk()
    (link,) = here.created(1)
    sandbox.archive_contact(here.access.name, int(link.destination_id))
    (answer,) = here.destination.apply([here.write(1, link, phone="555-0142")])

    assert isinstance(answer, NeedsReview)
    assert answer.review.kind is ReviewKind.ARCHIVED


def test_a_contact_that_was_merged_is_followed_to_the_one_that_is_left(desk, sandbox):
    here = desk()
    loser, winner = here.created(1, 2)
    sandbox.merge_contacts(here.access.name, loser=int(loser.destination_id), winner=int(winner.destination_id))
    (answer,) = here.destination.apply([here.write(1, loser, phone="555-0142", first_name="Else")])
    assert isinstance(answer, NeedsReview)

    same_person = here.write(1, loser, phone="555-0142", email="p2@example.org")
    (answer,) = here.destination.apply([same_person])
    assert isinstance(answer, Relinked)
    assert answer.destination_id == winner.destination_id


def test_a_removal_archives_and_what_comes_back_is_brought_back(desk):
    here = desk()
    (link,) = here.created(1)
    (answer,) = here.destination.apply([replace(here.write(1, link), is_removal=True)])
    assert answer.changed
    assert here.contact(link.destination_id)["isArchived"]

    removed = replace(link, applied_hash="removed")
    (answer,) = here.destination.apply([here.write(1, removed, phone="555-0142")])
    assert isinstance(answer, Applied)
    assert not here.contact(link.destination_id)["isArchived"]
    assert here.values(link.destination_id, "phone") == ["555-0142"]


def test_a_household_is_not_archived_for_one_of_its_people(desk, sandbox):
    here = desk()
    people = [{"firstName": "Fenmar", "lastName": "Quonox"}, {"firstName": "Else", "lastName": "Quonox"}]
    made = sandbox.create_contact(here.access.name, contactType="Household", contactIndividuals=people)
    individual = str(made["contactIndividuals"][0]["id"])
    link = Link(entity=here.entity(1), destination_id=str(made["id"]), details={"individual_id": individual})
    (answer,) = here.destination.apply([replace(here.write(1, link), is_removal=True)])

    assert not answer.changed
    assert not here.contact(made["id"])["isArchived"]


@pytest.mark.parametrize("create", ["direct", "batch"])
def test_the_ladder_finds_a_household_by_address_and_last_name_and_adds_the_person(desk, sandbox, create):
    here = desk(create=create)
    made = sandbox.create_contact(
        here.access.name, contactType="Household", contactIndividuals=[{"firstName": "Else", "lastName": "Quonox"}],
        contactAddresses=[{"address1": "12 Main St", "city": "Plano", "state": "TX", "postal": "75074"}],
    )  # fmt: skip
    write = here.write(1, address=ADDRESS)
    match = here.destination.match([write])[here.entity(1)]
    assert match == Matched(destination_id=str(made["id"]), details={"individual_id": ""}, rung="address")

    link = Link(entity=here.entity(1), destination_id=match.destination_id, details=match.details)
    (answer,) = here.destination.apply([replace(write, link=link)])
    contact = here.contact(made["id"])
    names = [person["firstName"] for person in contact["contactIndividuals"]]
    assert (names, answer.details["individual_id"]) == (
        ["Else", "Fenmar"], str(contact["contactIndividuals"][1]["id"]),
    )  # fmt: skip
    assert here.values(made["id"]) == ["p1@example.org"]
    assert {"source": "Syncfleet", "id": "1"} in [
        {"source": row["source"], "id": row["id"]} for row in contact["contactReferences"]
    ]
    (again,) = here.destination.apply([replace(write, link=here.linked(1, answer))])
    assert not again.changed


def test_the_ladder_finds_an_address_where_contacts_are_created_directly_and_leaves_it_to_the_import_elsewhere(desk):
    direct = desk()
    direct.created(1)
    assert direct.destination.match([direct.write(2, email="p1@example.org")])[direct.entity(2)].rung == "email"
    assert direct.destination.match([direct.write(1)])[direct.entity(1)].rung == "reference"

    batch = desk(create="batch")
    batch.sandbox.create_contact(batch.access.name, contactType="Household", contactIndividuals=[
        {"firstName": "A", "lastName": "B", "contactMethods": [{"type": "Home Email", "value": "p1@example.org"}]},
    ])  # fmt: skip
    (left,) = batch.destination.match([batch.write(1)]).values()
    assert not left.is_told


def test_several_contacts_that_fit_are_a_persons_business(desk, sandbox):
    here = desk()
    for _ in range(2):
        sandbox.create_contact(here.access.name, contactType="Household", contactIndividuals=[
            {"firstName": "A", "lastName": "B", "contactMethods": [{"type": "Home Email", "value": "p1@example.org"}]},
        ])  # fmt: skip
    match = here.destination.match([here.write(1)])[here.entity(1)]

    assert isinstance(match, NeedsReview)
    assert (match.review.kind, len(match.review.candidates)) == (ReviewKind.AMBIGUOUS, 2)


def test_fifty_at_first_sight_cost_one_question(desk, sandbox):
    here = desk(create="batch")
    before = mark(sandbox)
    assert here.destination.match([here.write(n, address=ADDRESS) for n in range(50)]) == {}

    assert here.requests(before) == ["POST /api/Contact/Query/FullContact"]


@pytest.mark.parametrize("create", ["direct", "batch"])
def test_custom_fields_arrive_with_a_create_and_with_an_update_and_keep_the_others(desk, create):
    here = desk(create=create)
    write = here.write(1, custom_fields={"Shirt Size": "M"})
    (answer,) = here.destination.apply([write])
    found = wait_until(
        lambda: here.destination.look([write], datetime.now(tz=UTC)).get(here.entity(1)), seconds=10, what="it"
    )
    del answer
    link = Link(entity=here.entity(1), destination_id=found.destination_id, details=found.details)
    here.destination.apply([here.write(1, link, custom_fields={"Hours Goal": "12"})])
    there = {row["name"]: row["value"] for row in here.contact(found.destination_id)["customFields"]}

    assert {name: str(value) for name, value in there.items()} == {"Shirt Size": "M", "Hours Goal": "12"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"No Such": "x"}, "unknown_custom_field"), ({"Shirt Size": "m"}, "custom_field_value"),
     ({"Hours Goal": "many"}, "custom_field_value"), ({"Member Since": "soon"}, "custom_field_value")],
)  # fmt: skip
def test_a_custom_field_that_is_not_there_or_does_not_fit_is_refused_for_that_one_alone(desk, sandbox, fields, reason):
    here = desk(create="batch")
    answers = here.destination.apply([here.write(1, custom_fields=fields), here.write(2)])

    assert isinstance(answers[0], Refused)
    assert answers[0].refusal.reason == reason
    assert answers[0].refusal.field == f"custom:{next(iter(fields))}"
    assert isinstance(answers[1], Submitted)


def test_who_is_declared_to_be_new_is_created_though_the_import_would_merge(desk):
    here = desk(create="batch")
    write = replace(here.write(1), as_new=True)
    assert here.destination.group_limit(write) == 1
    (answer,) = here.destination.apply([write])

    assert isinstance(answer, Applied)
