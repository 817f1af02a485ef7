"""The field that an error names is shown unmasked, so it is kept only where it is one."""

from __future__ import annotations

import json

import pytest

from common.http.answers import FIELD_CHARACTERS, Answer


def field_of(body):
    return Answer(status=422, headers={}, body=json.dumps(body).encode()).error_field()


@pytest.mark.parametrize("name", ["email", "contact.email", "contacts[0].lastName", "customFields.shirt_size", "$.id"])
def test_a_path_is_kept_as_it_is(name):
    assert field_of({"errors": {name: ["is wrong"]}}) == name


@pytest.mark.parametrize(
    "name",
    [
        "ada.field@charity.org", "contactMethods[ada@charity.org]", "+1 555 0100", "555-0100", "Ada Field",
        "Bearer abc.def", "a\x00b", "a\ud800", {"value": "ada@charity.org"}, ["ada@charity.org"], 7, None,
    ],
)  # fmt: skip
def test_whatever_else_stands_in_its_place_may_be_personal_and_is_not_kept(name):
    assert field_of({"error": {"details": [{"field": name}]}}) == ""


def test_a_name_is_cut():
    assert len(field_of({"errors": {"x" * 500: ["is wrong"]}})) == FIELD_CHARACTERS
