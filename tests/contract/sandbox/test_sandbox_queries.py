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
