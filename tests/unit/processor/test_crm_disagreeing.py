"""What a contact holds otherwise than its person says: nothing where nothing differs, else named field by field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_link, a_person, an_entity

from common.domain.writes import Write
from processor.destinations.crm_plus.contact import changes
from processor.destinations.crm_plus.disagreeing import in_contact

ADDRESS = "12 Main St, Plano, TX 75074, USA"
PERSON = a_person(phone="1", address=ADDRESS, birthday="1980-02-03", gender="F", custom_fields={"Shirt": "M"})


def a_contact(**more):
    """As the API shows it: numbers as text, null for blank."""
    individual = {
        "id": 5, "contactId": 1, "firstName": PERSON.first_name, "lastName": PERSON.last_name, "gender": "Female",
        "birthMonth": "2", "birthDay": "3", "birthYear": "1980", "isPrimary": True, "middleName": None,
        "contactMethods": [
            {"id": 7, "type": "Home Email", "value": PERSON.email.upper(), "isPrimary": True},
            {"id": 8, "type": "Mobile Phone", "value": PERSON.phone, "isPrimary": True},
        ],
    }  # fmt: skip
    address = {"id": 9, "address1": "12 Main St", "city": "Plano", "state": "TX", "postal": "75074", "country": "USA"}
    custom = [{"name": "Shirt", "value": "M"}, {"name": "Theirs", "value": "x"}]
    return {"id": 1, "contactIndividuals": [individual], "address": address, "customFields": custom, **more}


def a_write(person=PERSON, **more):
    link = a_link(details={"individual_id": "5"}, destination_id="1")
    base = {"write_id": "w", "entity": an_entity(), "event_id": 1, "version": 1, "desired": person, "mapped_hash": "h"}
    return Write(**{**base, "link": link, **more})


def test_what_is_as_it_should_be_disagrees_in_nothing():
    assert in_contact(a_write(), a_contact()) == {}


@pytest.mark.parametrize(
    ("person", "named"),
    [
        ({"first_name": "Ada"}, {"firstName": "Fenmar"}),
        ({"birthday": "1981-02-03"}, {"birthYear": "1980"}),
        ({"email": "a@example.org"}, {"email": "F@EXAMPLE.ORG"}),
        ({"phone": "2"}, {"phone": "1"}),
        ({"address": "13 Main St, Plano, TX 75074, USA"}, {"address1": "12 Main St"}),
        ({"custom_fields": {"Shirt": "L"}}, {"custom:Shirt": "M"}),
        ({"custom_fields": {"Hat": "L"}}, {"custom:Hat": None}),
        # A blank never erases, so it does not count.
        ({"phone": "", "address": "", "gender": "", "custom_fields": {}}, {}),
    ],
)
def test_each_field_is_named_with_what_is_there(person, named):
    base = {name: getattr(PERSON, name) for name in PERSON.to_body()}
    assert in_contact(a_write(a_person(**{**base, **person})), a_contact()) == named


def test_a_person_who_was_taken_out_of_the_contact_is_named():
    other = {"id": 6, "firstName": "Else", "lastName": "Body", "contactMethods": []}
    assert in_contact(a_write(), a_contact(contactIndividuals=[other])) == {"contactIndividual": None}


def test_an_archived_or_merged_contact_is_not_as_it_should_be():
    assert in_contact(a_write(), a_contact(isArchived="true")) == {"isArchived": True}
    assert in_contact(a_write(), a_contact(mergedIntoContactId=9)) == {"mergedIntoContactId": "9"}


def test_of_a_removal_only_a_contact_that_is_still_shown_counts():
    assert in_contact(a_write(is_removal=True), a_contact()) == {"isArchived": False}
    assert in_contact(a_write(is_removal=True), a_contact(isArchived=True)) == {}


WORDS = {name: st.sampled_from(["", "x", "1", "a@example.org"]) for name in ("first_name", "email", "phone", "address")}


@given(st.builds(a_person, **WORDS, custom_fields=st.sampled_from([{}, {"Shirt": "M"}, {"Shirt": "L"}])))
def test_nothing_is_named_exactly_where_nothing_would_be_written(person):
    assert bool(in_contact(a_write(person), a_contact())) == bool(changes(person, a_contact(), "5"))
