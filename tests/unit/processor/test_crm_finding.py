"""A record of CRM+ by its own id, as a person who decides sees it: everybody who is in it, and the methods of one."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from common.domain.resources import USERS
from common.http.answers import Answer
from processor.destinations.crm_plus.finding import find


def individual(first, last, *, primary=False, email=""):
    methods = [{"type": "Home Email", "value": email}] if email else []
    return {"id": 1, "firstName": first, "lastName": last, "isPrimary": primary, "contactMethods": methods}


def found(*people):
    contact = {"id": 5, "contactIndividuals": list(people)}
    return find(answering(200, json.dumps(contact).encode()), USERS, "5").current


def answering(status, body=b""):
    answer = Answer(status=status, headers={}, body=body)
    return SimpleNamespace(api=SimpleNamespace(read=lambda *_, **__: answer))


@pytest.mark.parametrize(
    ("people", "named"),
    [
        ([individual("Ana", "Ruiz", primary=True)], "Ana Ruiz"),
        ([individual("Ben", "Ruiz"), individual("Ana", "Ruiz", primary=True)], "Ana Ruiz, Ben Ruiz"),
        ([individual("", "Ruiz"), individual(None, None)], "Ruiz, (no name)"),
        ([], ""),
    ],
)
def test_everybody_of_a_household_is_named_the_primary_person_first(people, named):
    assert found(*people)["people"] == named


def test_the_other_fields_are_the_primary_persons():
    shown = found(individual("Ben", "Ruiz", email="ben@example.org"), individual("Ana", "Ruiz", primary=True))

    assert (shown["first_name"], shown["email"]) == ("Ana", "")


def test_an_answer_that_says_not_found_is_none():
    assert find(answering(404), USERS, "5") is None
