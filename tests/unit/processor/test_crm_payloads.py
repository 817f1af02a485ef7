"""CRM+ bodies from a person, and what in a contact differs from one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_customer, a_person

from common.domain.errors import CustomerInvalid
from processor.destinations.crm_plus.contact import changes, our_individual, references
from processor.destinations.crm_plus.payloads import address_fields, flat_contact, nested_contact
from processor.destinations.crm_plus.settings import read_settings

PERSON = a_person(phone="1", address="12 Main St, Plano, TX 75074, USA", birthday="1980-02-03", gender="F")


def a_contact(person=PERSON, **more):
    """As the API shows it: numbers as text, null for blank, methods with a primary."""
    individual = {
        "id": 5, "contactId": 1, "firstName": person.first_name, "lastName": person.last_name, "gender": "Female",
        "birthMonth": "2", "birthDay": "3", "birthYear": "1980", "isPrimary": True, "passion": "dogs",
        "contactMethods": [
            {"id": 7, "type": "Home Email", "value": person.email, "isPrimary": True},
            {"id": 8, "type": "Mobile Phone", "value": person.phone, "isPrimary": True},
        ],
    }  # fmt: skip
    address = {"id": 9, "address1": "12 Main St", "city": "Plano", "state": "TX", "postal": "75074", "country": "USA"}
    return {"id": 1, "contactIndividuals": [individual], "address": address, **more}


def routes(person, contact, **more):
    return [(change.method, change.route) for change in changes(person, contact, **more)]


def test_a_batch_item_is_flat_and_leaves_out_what_is_blank():
    assert flat_contact(a_person(email=""), "7", "Household") == {
        "referenceId": "7", "contactType": "Household", "firstName": "Fenmar", "lastName": "Quonox",
    }  # fmt: skip


def test_a_batch_item_carries_every_field():
    item = flat_contact(PERSON, "7", "Household")

    assert (item["email"], item["phone"], item["gender"]) == ("f@example.org", "1", "Female")
    assert (item["birthMonth"], item["birthDay"], item["birthYear"]) == (2, 3, 1980)
    assert (item["address1"], item["city"], item["state"], item["postal"]) == ("12 Main St", "Plano", "TX", "75074")


def test_a_direct_create_carries_our_reference():
    body = nested_contact(PERSON, "Syncfleet", "7", "Household")

    assert (body["referenceSource"], body["referenceId"]) == ("Syncfleet", "7")
    assert [method["value"] for method in body["contactIndividuals"][0]["contactMethods"]] == ["f@example.org", "1"]


WORDS = {name: st.text(max_size=8) for name in ("first_name", "email", "phone", "address", "gender")}


@given(st.builds(a_person, **WORDS))
def test_no_batch_item_holds_a_blank(person):
    assert all(value not in ("", None) for value in flat_contact(person, "7", "Household").values())


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("", {}),
        ("12 Main St, Plano, TX 75074", {"address1": "12 Main St", "city": "Plano", "state": "TX", "postal": "75074"}),
        ("1 A St, Apt 2, Reno, NV 89501-1234, USA",
         {"address1": "1 A St, Apt 2", "city": "Reno", "state": "NV", "postal": "89501-1234", "country": "USA"}),
        ("Hauptplatz 1, 4020 Linz",
         {"address1": "Hauptplatz 1, 4020 Linz", "city": "", "state": "", "postal": "", "country": ""}),
    ],
)  # fmt: skip
def test_an_address_line_is_taken_apart_where_it_has_the_usual_form(line, parts):
    assert address_fields(a_person(address=line)) == parts


def test_a_contact_that_is_as_it_should_be_needs_nothing():
    assert changes(PERSON, a_contact()) == []


@pytest.mark.parametrize(
    ("field", "value", "route"),
    [
        ("first_name", "Ada", "/api/ContactIndividual/{id}"),
        ("gender", "M", "/api/ContactIndividual/{id}"),
        ("birthday", "1980-02-04", "/api/ContactIndividual/{id}"),
        ("email", "new@example.org", "/api/ContactMethod/{id}"),
        ("phone", "2", "/api/ContactMethod/{id}"),
        ("address", "9 Elm Rd, Reno, NV 89501, USA", "/api/ContactAddress/{id}"),
    ],
)
def test_one_field_that_differs_is_one_request(field, value, route):
    person = a_person(**{**PERSON.to_body(), field: value})

    assert routes(person, a_contact()) == [("PUT", route)]


@pytest.mark.parametrize("field", ["email", "phone", "address", "birthday", "gender"])
def test_a_blank_asks_for_nothing(field):
    assert changes(a_person(**{**PERSON.to_body(), field: ""}), a_contact()) == []


def test_what_is_missing_there_is_added():
    bare = a_contact(address=None)
    bare["contactIndividuals"][0]["contactMethods"] = []

    assert routes(PERSON, bare) == [("POST", "/api/ContactMethod")] * 2 + [("POST", "/api/ContactAddress")]


def test_a_person_is_put_whole_so_that_nothing_is_cleared():
    (change,) = changes(a_person(**{**PERSON.to_body(), "first_name": "Ada"}), a_contact())

    assert (change.body["firstName"], change.body["passion"], change.body["birthYear"]) == ("Ada", "dogs", 1980)
    assert "contactMethods" not in change.body


def test_an_address_that_is_there_but_not_first_is_made_first():
    contact = a_contact()
    contact["contactIndividuals"][0]["contactMethods"].append(
        {"id": 70, "type": "Work Email", "value": "NEW@example.org", "isPrimary": False}
    )
    (change,) = changes(a_person(**{**PERSON.to_body(), "email": "new@example.org"}), contact)

    assert (change.names, change.body["setAsPrimary"], change.body["type"]) == ({"id": "70"}, True, "Work Email")


def test_the_letter_case_of_an_e_mail_address_and_numbers_as_text_do_not_differ():
    assert changes(PERSON, a_contact(a_person(**{**PERSON.to_body(), "email": "F@Example.ORG"}))) == []


def test_the_linked_person_is_meant_and_not_the_first():
    contact = a_contact()
    contact["contactIndividuals"].insert(0, {"id": 4, "firstName": "Spouse", "isPrimary": True})

    assert our_individual(contact)["id"] == 4
    assert our_individual(contact, "5")["id"] == 5
    assert changes(PERSON, contact, "5") == []


@pytest.mark.parametrize("people", [None, [], ["x", None]])
def test_a_contact_without_a_person_gets_one(people):
    assert routes(PERSON, a_contact(contactIndividuals=people)) == [("POST", "/api/ContactIndividual")]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (None, []), ([], []), (["x", None], []), ([{}], [("", "")]),
        ([{"source": "Syncfleet", "id": 7}], [("Syncfleet", "7")]),
    ],
)  # fmt: skip
def test_references_of_any_shape_are_read(rows, found):
    assert references({"contactReferences": rows}) == found


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"create": "later"}, "create"), ({"batch_size": 101}, "batch_size"), ({"batchsize": 5}, "batchsize"),
     ({"base_url": "ftp://x"}, "base_url"), ({"visibility_seconds": -1}, "visibility_seconds")],
)  # fmt: skip
def test_a_wrong_setting_names_customer_and_key(settings, key):
    with pytest.raises(CustomerInvalid, match="acme") as raised:
        read_settings(a_customer(destination_settings=settings))

    assert raised.value.field == f"destination_settings.{key}"
