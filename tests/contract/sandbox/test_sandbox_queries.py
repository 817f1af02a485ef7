"""Queries of the stand-in CRM+."""

import pytest


def ask(organization, *conditions, path="/api/Contact/Query", **body):
    query = {name: body.pop(name) for name in ("skip", "take") if name in body}
    groups = [{"conditions": [dict(zip(("parameter", "operator", "value"), each, strict=True)) for each in conditions]}]
    return organization.crm.post(path, params=query, json={"groups": groups, **body})


@pytest.fixture
def filled(desk):
    organization = desk()
    for number in range(12):
        organization.create_contact(f"c{number}@example.org")
    return organization


def test_ten_rows_are_taken_by_default(filled):
    page = ask(filled).json()

    assert (len(page["list"]), page["total"]) == (10, 12)


def test_more_than_a_thousand_rows_are_refused(filled):
    assert ask(filled, take=1001).status_code == 400


def test_an_id_cursor_visits_every_contact_once(filled):
    seen: list[int] = []
    while rows := ask(filled, ("Contact Id", "GreaterThan", str(seen[-1] if seen else 0)), take=5, sortBy="Id").json()[
        "list"
    ]:
        seen += [row["id"] for row in rows]

    assert seen == sorted(set(seen))
    assert len(seen) == 12


def test_skip_and_take_are_in_the_query_string(filled):
    everything = [row["id"] for row in ask(filled, take=1000).json()["list"]]

    assert [row["id"] for row in ask(filled, skip=4, take=3).json()["list"]] == everything[4:7]


def test_descending_turns_the_order_round(filled):
    ids = [row["id"] for row in ask(filled, sortBy="Id", descending=True).json()["list"]]

    assert ids == sorted(ids, reverse=True)


def test_an_email_address_is_matched_exactly(filled):
    rows = ask(filled, ("Email Address", "Is", "C1@example.org")).json()["list"]

    assert [row["email"] for row in rows] == ["c1@example.org"]


def test_many_email_addresses_can_be_asked_for_at_once(filled):
    wanted = ["c1@example.org", "c2@example.org", "nobody@example.org"]
    condition = {"parameter": "Email Address", "operator": "In", "values": wanted}

    page = filled.crm.post("/api/Contact/Query", json={"groups": [{"conditions": [condition]}]}).json()

    assert [row["email"] for row in page["list"]] == wanted[:2]


def test_groups_are_alternatives(filled):
    groups = [
        {"conditions": [{"parameter": "Email Address", "operator": "Is", "value": f"c{number}@example.org"}]}
        for number in (3, 5)
    ]

    page = filled.crm.post("/api/Contact/Query", json={"groups": groups}).json()

    assert [row["email"] for row in page["list"]] == ["c3@example.org", "c5@example.org"]


def test_the_full_query_gives_full_contacts(filled):
    row = ask(filled, path="/api/Contact/Query/FullContact", take=1).json()["list"][0]

    assert row["contactIndividuals"][0]["contactMethods"]
    assert "modifiedDateTimeUtc" in row


def test_times_of_creation_and_change_have_inclusive_floors(filled):
    newest = ask(filled, path="/api/Contact/Query/FullContact", take=1, sortBy="Id", descending=True).json()["list"][0]
    moment = newest["modifiedDateTimeUtc"]

    changed = ask(filled, ("Last Modified DateTime UTC", "OnOrAfter", moment)).json()["list"]
    later = ask(filled, ("Create DateTime UTC", "OnOrAfter", "2999-01-01T00:00:00")).json()["list"]

    assert newest["id"] in [row["id"] for row in changed]
    assert later == []


@pytest.mark.parametrize(
    "condition", [("Shoe Size", "Is", "42"), ("Contact Id", "Resembles", "1"), ("Contact Id", "Is", "x")]
)
def test_a_condition_that_makes_no_sense_is_refused(filled, condition):
    assert ask(filled, condition).status_code == 400


def ids(organization, **condition):
    body = {"groups": [{"conditions": [condition]}], "sortBy": "Id"}
    answer = organization.crm.post("/api/Contact/Query", params={"take": 1000}, json=body)
    return [row["id"] for row in answer.raise_for_status().json()["list"]]


def test_ids_can_be_asked_for_one_by_one_as_a_list_and_as_a_range(filled):
    everything = ids(filled, parameter="Contact Id", operator="GreaterThan", value=0)
    first, *_, last = everything
    between = {"operator": "Between", "value": str(everything[2]), "secondaryValue": str(everything[4])}

    assert ids(filled, parameter="Contact Id", operator="Is", value=first) == [first]
    assert ids(filled, parameter="Contact Id", operator="In", values=[last, str(first), 1]) == [first, last]
    assert ids(filled, parameter="Contact Id", **between) == everything[2:5]
    assert ids(filled, parameter="Contact Id", operator="LessThan", value=everything[1]) == [first]


@pytest.fixture
def household(desk):
    organization = desk()
    address = {"address1": "12 Elm Rise", "city": "Plano", "postal": "75074"}
    made = organization.create_contact("a@example.org", contactAddresses=[address], tags="Donor", name="The Foxes")
    organization.create_contact("b@example.org", contactAddresses=[{"address1": "3 Flint Walk"}])
    return organization, made["id"]


@pytest.mark.parametrize(
    ("parameter", "operator", "value"),
    [
        ("Address 1", "Is", "12 elm rise"),
        ("Address 1", "StartsWith", "12 "),
        ("Address 1", "Contains", "Elm"),
        ("Postal", "Is", "75074"),
        ("Contact Name", "EndsWith", "foxes"),
        ("Contact Name", "Is", "The Foxes"),
        ("Tags", "Is", "donor"),
    ],
)
def test_contacts_can_be_asked_for_by_where_they_live_and_what_they_are(household, parameter, operator, value):
    organization, wanted = household

    assert ids(organization, parameter=parameter, operator=operator, value=value) == [wanted]


def test_names_can_be_asked_for_as_a_list(household):
    organization, wanted = household

    assert len(ids(organization, parameter="Last Name", operator="In", values=["quonox", "nobody"])) == 2
    assert ids(organization, parameter="Postal", operator="In", values=["75074", "75075"]) == [wanted]
    assert ids(organization, parameter="First Name", operator="IsNot", value="Fenmar") == []


def test_conditions_of_a_group_must_all_hold(household):
    organization, wanted = household

    both = ask(organization, ("Last Name", "Is", "Quonox"), ("Address 1", "Is", "12 Elm Rise")).json()

    assert [row["id"] for row in both["list"]] == [wanted]


def test_a_query_has_at_most_a_hundred_groups_and_two_hundred_values(filled):
    group = {"conditions": [{"parameter": "Email Address", "operator": "In", "values": ["c1@example.org"]}]}
    emails = [f"c{number}@example.org" for number in range(201)]

    def status(groups):
        return filled.crm.post("/api/Contact/Query", json={"groups": groups}).status_code

    assert (status([group] * 100), status([group] * 101)) == (200, 400)
    for count, expected in ((200, 200), (201, 400)):
        condition = {"parameter": "Email Address", "operator": "In", "values": emails[:count]}
        assert status([{"conditions": [condition]}]) == expected


@pytest.mark.parametrize(
    "condition",
    [
        {"parameter": "Email Address", "operator": "Is"},
        {"parameter": "Email Address", "operator": "In", "values": []},
        {"parameter": "Contact Id", "operator": "Between", "value": 1},
    ],
)
def test_a_condition_without_its_value_is_refused(filled, condition):
    answer = filled.crm.post("/api/Contact/Query", json={"groups": [{"conditions": [condition]}]})

    assert answer.status_code == 400


@pytest.mark.parametrize("groups", ["all", [7], {"conditions": []}, [{"conditions": "all"}]])
def test_groups_that_are_no_groups_are_refused(filled, groups):
    assert filled.crm.post("/api/Contact/Query", json={"groups": groups}).status_code == 400


def test_the_options_name_every_parameter_with_its_operators(filled):
    options = {row["parameter"]: row for row in filled.crm.get("/api/Contact/QueryOptions").json()["options"]}

    assert {"Contact Id", "Email Address", "Last Name", "Address 1", "Postal", "Tags"} <= set(options)
    assert {"Is", "In", "Between", "GreaterThan", "LessThan"} <= set(options["Contact Id"]["operators"])
    assert options["Email Address"]["multipleValuesAllowed"] is True
