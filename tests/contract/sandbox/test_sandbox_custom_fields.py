"""Custom fields of the stand-in CRM+: defined by the organization, checked by type, unknown names ignored aloud."""

import httpx
import pytest

RESOURCES = ("Contact", "ContactIndividual", "ContactNote", "VolunteerOpportunity", "Gift")


def values(record):
    return {row["name"]: row["value"] for row in record["customFields"]}


@pytest.mark.parametrize("resource", RESOURCES)
def test_each_resource_lists_its_own_definitions(desk, resource):
    rows = desk().crm.get(f"/api/{resource}/CustomFields").json()

    assert rows
    assert all(set(row) == {"name", "displayName", "dataType", "options"} for row in rows)


def test_a_creation_takes_an_object_and_a_put_an_array(desk):
    organization = desk()
    made = organization.create_contact("a@example.org", customFields={"Shirt Size": "M", "Hours Goal": "12.5"})
    rows = [{"name": "Has Waiver", "value": "true", "displayName": "Has Waiver"}, {"name": "Hours Goal", "value": ""}]

    changed = organization.crm.put(f"/api/Contact/{made['id']}", json={**made, "customFields": rows}).json()

    assert values(made) == {"Shirt Size": "M", "Hours Goal": "12.5"}
    assert values(changed) == {"Shirt Size": "M", "Has Waiver": "true"}
    assert "warnings" not in changed


def test_an_unknown_name_is_ignored_with_a_warning(desk):
    organization = desk()

    made = organization.create_contact("a@example.org", customFields={"Shoe Size": "42", "Shirt Size": "M"})
    again = organization.crm.put(f"/api/Contact/{made['id']}", json={**made, "customFields": [{"name": "No"}]}).json()

    assert values(made) == {"Shirt Size": "M"}
    assert made["warnings"] == ["Contact has no custom field 'Shoe Size'; its value was ignored."]
    assert again["warnings"] == ["Contact has no custom field 'No'; its value was ignored."]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Shirt Size", "m"), ("Hours Goal", "many"), ("Member Since", "soon"), ("Has Waiver", "yes")],
)
def test_a_value_that_does_not_fit_is_refused_wherever_it_comes_from(desk, item, name, value):
    organization = desk()
    made = organization.create_contact("a@example.org")
    given = {name: value}

    created = organization.crm.post(
        "/api/Contact",
        json={
            "contactType": "Household",
            "contactIndividuals": [{"firstName": "A", "lastName": "B"}],
            "customFields": given,
        },
    )
    body = {**made, "customFields": [{"name": name, "value": value}]}
    changed = organization.crm.put(f"/api/Contact/{made['id']}", json=body)
    submitted = organization.submit(item("1"), item("2", customFields=given))

    assert [answer.status_code for answer in (created, changed, submitted)] == [422] * 3
    fields = [answer.json()["error"]["details"][0]["field"] for answer in (created, changed, submitted)]
    assert fields == [f"customFields.{name}", f"customFields.{name}", f"contacts[1].customFields.{name}"]


def test_an_import_sets_what_is_defined(desk, item):
    organization = desk()
    organization.submit(item("1", customFields={"Shirt Size": "XL", "Shoe Size": "42"})).raise_for_status()
    organization.admin.run_import(organization.name)

    assert values(organization.contacts()[0]) == {"Shirt Size": "XL"}


def test_people_notes_and_opportunities_have_fields_of_their_own(desk):
    organization = desk()
    contact = organization.create_contact("a@example.org")
    person = contact["contactIndividuals"][0]

    diner = organization.crm.put(
        f"/api/ContactIndividual/{person['id']}", json={"customFields": [{"name": "Dietary Needs", "value": "halal"}]}
    )
    note = organization.crm.post(
        "/api/ContactNote", json={"contactId": contact["id"], "note": "x", "customFields": {"Form Name": "Waiver"}}
    )
    opportunity = organization.crm.post(
        "/api/VolunteerOpportunity", json={"name": "x", "customFields": {"Project Kind": "Garden", "Form Name": "no"}}
    )

    assert values(diner.json()) == {"Dietary Needs": "halal"}
    assert values(note.json()) == {"Form Name": "Waiver"}
    assert values(opportunity.json()) == {"Project Kind": "Garden"}
    assert opportunity.json()["warnings"]


def test_staff_add_rename_and_remove_a_definition_and_the_values_follow(desk):
    organization = desk()
    organization.admin.define_custom_field(
        organization.name, "Contact", "Team", dataType="Dropdown", options=["Red", "Blue"]
    )
    made = organization.create_contact("a@example.org", customFields={"Team": "Red"})

    organization.admin.define_custom_field(organization.name, "Contact", "Team", renamed="Crew")
    renamed = organization.crm.get(f"/api/Contact/{made['id']}").json()
    organization.admin.remove_custom_field(organization.name, "Contact", "Crew")
    removed = organization.crm.get(f"/api/Contact/{made['id']}").json()

    assert values(made) == {"Team": "Red"}
    assert values(renamed) == {"Crew": "Red"}
    assert values(removed) == {}
    assert "Crew" not in [row["name"] for row in organization.crm.get("/api/Contact/CustomFields").json()]


def test_definitions_are_exported_and_a_type_nobody_knows_is_refused(desk):
    organization = desk()
    exported = organization.admin.export(organization.name)["destination"]["custom_fields"]

    assert set(exported) == set(RESOURCES)
    assert exported["Contact"] == organization.crm.get("/api/Contact/CustomFields").json()
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        organization.admin.define_custom_field(organization.name, "Contact", "Team", dataType="Colour")
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        organization.admin.define_custom_field(organization.name, "Contact", "Hours Goal", renamed="Shirt Size")
