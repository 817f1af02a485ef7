"""What CRM+ answers otherwise than its documentation says: nothing is doubled for it, and nothing held up."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from support.builders import a_person
from support.labelling import Labelling

from common.domain.errors import UnknownOutcome
from common.domain.resources import USERS
from common.domain.writes import Applied
from common.http.client import make_transport

ADD = "/api/ContactIndividual"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class Spelling(httpx.BaseTransport):
    """Passes everything on to the sandbox; `changed` rewrites its answers. What it `refuses` is a 404."""

    def __init__(self, changed, refuses):
        self._inner, self._changed, self._refuses = httpx.HTTPTransport(), changed, refuses

    def handle_request(self, request):
        if self._refuses(request):
            return httpx.Response(404)
        answer = self._inner.handle_request(request)
        answer.read()
        body = json.dumps(self._changed(request, answer.json())) if answer.content else ""
        return httpx.Response(answer.status_code, headers={"Content-Type": "application/json"}, text=body)

    def close(self):
        self._inner.close()


@pytest.fixture
def desk(organization, sandbox):
    """One whose answers to the product are `changed`."""
    opened = []

    def make(changed, refuses=lambda _: False):
        plain, odd = make_transport(5.0), httpx.Client(transport=Spelling(changed, refuses))
        opened.extend((plain, odd))
        access = organization(users=0, bulk_endpoints=True)
        it = Labelling(access, plain, sandbox, deadline_seconds=1.0)
        Labelling.__init__(it, access, odd, sandbox, deadline_seconds=1.0)
        it._transport = plain
        return it

    yield make
    for client in opened:
        client.close()


def joined(it):
    """Somebody who is to be added to a household that is there."""
    body = {"contactType": "Household", "contactIndividuals": [{"firstName": "Else", "lastName": "Quonox"}]}
    made = it.staff("POST", "/api/Contact", body)
    it.link(it.key(USERS, "1"), str(made["id"]), {"individual_id": ""})
    return it.write(USERS, "1", a_person(first_name="Fenmar", last_name="Quonox", email="p1@example.org"))


def adds(request):
    return request.method == "POST" and request.url.path.endswith(ADD)


def people(it):
    return [row["firstName"] for row in it.shown("contacts")[0]["contactIndividuals"]]


@pytest.mark.parametrize("told", [{}, {"firstName": "FEN MAR"}])
def test_a_person_is_added_once_however_the_answer_spells_the_name(desk, told):
    def changed(request, body):
        return {"id": body["id"], **told} if adds(request) else body

    it = desk(changed)
    (answer,) = it.apply(joined(it))

    assert isinstance(answer, Applied)
    assert people(it) == ["Else", "Fenmar"]
    assert it.requests()[f"POST {ADD}"] == 1
    there = it.shown("contacts")[0]["contactIndividuals"][1]
    assert answer.details["individual_id"] == str(there["id"])
    assert [method["value"] for method in there["contactMethods"] if "Email" in method["type"]] == ["p1@example.org"]


def test_a_person_who_was_added_without_a_readable_answer_is_looked_for_and_not_added_again(desk):
    it = desk(lambda request, body: {} if adds(request) else body)
    write = joined(it)
    with pytest.raises(UnknownOutcome):
        it.apply(write)
    (answer,) = it.apply(write)

    assert isinstance(answer, Applied)
    assert people(it) == ["Else", "Fenmar"]


def as_text(value):
    """Native types as the specification writes them: all of them text."""
    if isinstance(value, dict):
        return {name: as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def test_a_contact_that_says_false_in_a_text_is_not_taken_for_archived(desk):
    it = desk(lambda _, body: as_text(body))
    link = it.person("1")
    (answer,) = it.apply(it.write(USERS, "1", a_person(email="p1@example.org", phone="555-0142")))
    assert isinstance(answer, Applied)
    assert answer.changed

    removal = it.write(USERS, "1", a_person(email="p1@example.org"), is_removal=True)
    (found,) = it.destination.look([removal], SINCE).values()
    assert it.destination.differs(removal, found)
    it.apply(removal)
    (there,) = it.shown("contacts")
    assert (str(there["id"]), there["isArchived"]) == (link.destination_id, True)


def test_a_bulk_endpoint_that_has_worked_is_not_given_up_for_one_not_found(desk):
    lost = []
    it = desk(lambda _, body: body, refuses=lambda request: lost and request.url.path.endswith("/Tag/Bulk"))
    it.ids = it.people(6)
    it.apply(it.group())
    it.apply(*[it.member(user_id) for user_id in it.ids[:2]])
    lost.append(1)
    it.apply(*[it.member(user_id) for user_id in it.ids[2:4]])
    lost.clear()
    before = it.mark()
    it.apply(*[it.member(user_id) for user_id in it.ids[4:]])

    assert it.requests(before)["POST /api/Tag/Bulk"] == 1
    assert [it.tags_of(user_id) for user_id in it.ids] == [[31]] * 6
