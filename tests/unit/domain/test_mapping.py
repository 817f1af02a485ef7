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
        (
            {"users": {"fields": [{"from": "phone", "to": "phone", "transform": [["upper"]]}]}},
            "mapping.users.fields.0.transform",
            "is not known",
        ),
        (
            {"users": {"fields": [{"from": "phone", "to": "custom:X"}, {"from": "gender", "to": "custom:X"}]}},
            "mapping.users.fields.1.to",
            "is filled by another rule already",
        ),
    ],
)
def test_what_is_said_wrongly_is_refused_with_its_path_and_mend(said, path, mend):
    with pytest.raises(CustomerInvalid, match="customer 'acme'") as caught:
        read_mapping("acme", said)

    assert caught.value.field == path
    assert mend in str(caught.value)


def test_an_address_that_is_mapped_is_in_lower_case_as_any_other_for_it_tells_people_apart():
    said = {"from": "extra.work", "to": "email"}
    person = mapped(a_person(extra={"work": "Ana@Example.org"}), rules("users", said), an_entity())

    assert person.email == "ana@example.org"


@pytest.mark.parametrize(
    ("value", "text"),
    [(["M", "L"], "M, L"), (["M", None, " "], "M"), ([], ""), (True, "true"), ([True, 2], "true, 2")],
)
def test_several_values_are_one_text_as_those_of_an_answer_are(value, text):
    said = {"from": "extra.shirt", "to": "phone"}

    assert mapped(a_person(extra={"shirt": value}), rules("users", said), an_entity()).phone == text


def test_a_value_that_is_no_text_is_refused_and_never_sent_in_our_own_spelling():
    said = {"from": "extra.shirt", "to": "phone"}
    with pytest.raises(RecordInvalid, match="is an object, not text") as caught:
        mapped(a_person(extra={"shirt": {"size": "M"}}), rules("users", said), an_entity())

    assert caught.value.field == "extra.shirt"


def test_what_is_required_and_blank_after_its_transforms_is_refused_too():
    said = {"from": "extra.shirt", "to": "custom:Shirt", "transform": {"map": {"none": ""}}, "required": True}
    with pytest.raises(RecordInvalid, match="is required by the mapping, and empty"):
        mapped(a_person(extra={"shirt": "none"}), rules("users", said), an_entity())


def test_a_birthday_that_is_mapped_and_no_date_is_refused_with_the_transform_that_mends_it():
    said = {"from": "extra.born", "to": "birthday"}
    with pytest.raises(RecordInvalid, match="date_iso") as caught:
        mapped(a_person(extra={"born": "11/5/1980"}), rules("users", said), an_entity())

    assert caught.value.field == "extra.born"
