"""A customer's mapping: what may be said, and what it makes of a record."""

from __future__ import annotations

import pytest
from support.builders import a_person, an_entity

from common.domain.errors import CustomerInvalid, RecordInvalid
from common.domain.forms import FormCompletion
from common.domain.mapping import mapped, read_mapping


def rules(resource, *said):
    return read_mapping("acme", {resource: {"fields": list(said)}}).of(resource).rules


def test_without_a_mapping_a_record_goes_as_it_is():
    person = a_person()

    assert mapped(person, read_mapping("acme", {}).of("users").rules, an_entity()) is person


def test_a_field_takes_the_value_of_another_through_transforms():
    person = a_person(extra={"mobile": "(555) 010-2000"}, phone="old")
    said = {"from": "extra.mobile", "to": "phone", "transform": ["trim", "phone_e164_us"]}

    assert mapped(person, rules("users", said), an_entity()).phone == "+15550102000"


def test_a_custom_field_takes_an_answer_and_a_blank_is_left_out():
    completion = FormCompletion(
        form_id="310", form_name="Intake", user_id="1",
        answers=({"field_id": "77", "label": "", "value": "m"}, {"field_id": "78", "label": "", "value": " "}),
    )  # fmt: skip
    said = [
        {"from": "answers.77", "to": "custom:Shirt", "transform": {"map": {"m": "Medium"}}},
        {"from": "answers.78", "to": "custom:Diet"},
        {"from": "answers.79", "to": "custom:Shoes"},
    ]

    assert mapped(completion, rules("form_completions", *said), an_entity()).custom_fields == {"Shirt": "Medium"}


def test_rules_read_the_record_as_it_came_not_what_another_rule_made_of_it():
    said = [{"from": "last_name", "to": "first_name"}, {"from": "first_name", "to": "last_name"}]
    person = mapped(a_person(first_name="A", last_name="B"), rules("users", *said), an_entity())

    assert (person.first_name, person.last_name) == ("B", "A")


@pytest.mark.parametrize(
    ("rule", "value", "mend"),
    [
        ({"required": True}, "", "is required by the mapping, and empty"),
        ({"transform": "yes_no"}, "perhaps", "takes yes or no"),
        ({"transform": {"map": {"a": "b"}}}, "z", "takes one of a"),
    ],
)
def test_a_value_that_a_rule_cannot_use_names_customer_field_and_mend(rule, value, mend):
    said = {"from": "extra.shirt", "to": "custom:Shirt", **rule}
    with pytest.raises(RecordInvalid, match=mend) as caught:
        mapped(a_person(extra={"shirt": value}), rules("users", said), an_entity())

    assert (caught.value.field, caught.value.reason) == ("extra.shirt", "record_invalid")
    assert "customer acme" in str(caught.value)
    assert value == "" or value not in str(caught.value).split("takes")[0]


@pytest.mark.parametrize(
    ("said", "path", "mend"),
    [
        ({"user": {}}, "mapping.user", "did you mean users?"),
        ({"users": []}, "mapping.users", "is no object"),
        ({"users": {"of": True}}, "mapping.users.of", "is not known"),
        ({"users": {"off": "yes"}}, "mapping.users.off", "neither true nor false"),
        ({"users": {"fields": {}}}, "mapping.users.fields", "is no list"),
        ({"users": {"fields": [{"from": "phone"}]}}, "mapping.users.fields.0.to", "is missing"),
        ({"users": {"fields": [{"from": "fone", "to": "phone"}]}}, "mapping.users.fields.0.from", "is no field"),
        ({"users": {"fields": [{"from": "extra", "to": "phone"}]}}, "mapping.users.fields.0.from", "name the part"),
        ({"users": {"fields": [{"from": "phone.x", "to": "phone"}]}}, "mapping.users.fields.0.from", "has no parts"),
        ({"users": {"fields": [{"from": "phone", "to": "extra"}]}}, "mapping.users.fields.0.to", "is no text field"),
        ({"users": {"fields": [{"from": "phone", "to": "custom: "}]}}, "mapping.users.fields.0.to", "name is missing"),
        ({"groups": {"fields": [{"from": "name", "to": "custom:X"}]}}, "mapping.groups.fields.0.to", "no custom"),
        (
            {"participations": {"fields": [{"from": "role", "to": "verified"}]}},
            "mapping.participations.fields.0.to",
            "is no text field",
        ),
        (
            {"users": {"fields": [{"from": "phone", "to": "phone", "transform": "upcase"}]}},
            "mapping.users.fields.0.transform",
            "is not known",
        ),
        (
            {"users": {"fields": [{"from": "phone", "to": "phone", "default": "x"}]}},
            "mapping.users.fields.0.default",
            "is not known",
        ),
    ],
)
def test_what_is_said_wrongly_is_refused_with_its_path_and_mend(said, path, mend):
    with pytest.raises(CustomerInvalid, match="customer 'acme'") as caught:
        read_mapping("acme", said)

    assert caught.value.field == path
    assert mend in str(caught.value)
