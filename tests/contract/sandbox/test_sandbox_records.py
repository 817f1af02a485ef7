"""The admin surface of every resource but users, and the log of what was done with it."""

import httpx
import pytest

RESOURCES = (
    "projects",
    "project_dates",
    "participations",
    "groups",
    "group_members",
    "campaigns",
    "forms",
    "form_completions",
    "certificates",
    "earned_certificates",
)


def entries(organization):
    return organization.admin.export(organization.name)["source"]["changes"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_record_of_any_resource_is_invented_and_deleted_and_both_are_noted(desk, resource):
    organization = desk()
    before = len(entries(organization))

    made = organization.admin.create_record(organization.name, resource)
    organization.admin.delete_record(organization.name, resource, made["id"])
    created, deleted = entries(organization)[before:]

    assert (created["kind"], created["resource"], created["id"]) == ("create", resource, str(made["id"]))
    assert created["values"] == {name: value for name, value in made.items() if name != "members"}
    assert (deleted["kind"], deleted["id"], deleted["values"]) == ("delete", str(made["id"]), {})
    assert deleted["seq"] == created["seq"] + 1 == len(entries(organization))
    assert deleted["at_monotonic"] >= created["at_monotonic"] > 0


def test_the_log_begins_with_the_seeds_and_counts_without_a_gap(desk):
    organization = desk()
    source = organization.admin.export(organization.name)["source"]

    assert [row["seq"] for row in source["changes"]] == list(range(1, len(source["changes"]) + 1))
    assert {row["resource"] for row in source["changes"]} == set(RESOURCES)
    assert {(row["kind"], row["at_monotonic"]) for row in source["changes"]} == {("create", 0.0)}
    rows = [row for rows in source["participations"].values() for row in rows]
    assert rows == [row["values"] for row in source["changes"] if row["resource"] == "participations"]


def test_participations_of_a_user_that_are_replaced_are_noted_one_by_one(desk):
    organization = desk()
    user = organization.admin.create_user(
        organization.name,
        participations=[{"project_id": 701, "project_date_id": 1011, "signed_up_at": "2026-01-01T00:00:00Z"}],
    )
    before = len(entries(organization))

    organization.admin.change_user(
        organization.name, user["id"], participations=[{"project_id": 701, "project_date_id": 1012, "hours": "2.00"}]
    )

    assert {(row["kind"], row["id"]) for row in entries(organization)[before:]} == {
        ("delete", f"1011:{user['id']}"),
        ("create", f"1012:{user['id']}"),
    }
    assert entries(organization)[before - 1]["values"]["signed_up_at"] == 1_767_225_600


@pytest.mark.parametrize(
    ("resource", "record_id"),
    [
        ("projects", 1),
        ("projects", "abc"),
        ("participations", "1011"),
        ("participations", "1:2:x"),
        ("group_members", "61"),
        ("group_members", "1:1"),
        ("earned_certificates", "81:1"),
        ("users", 4101),
    ],
)
def test_what_does_not_exist_cannot_be_deleted(desk, resource, record_id):
    organization = desk()

    with pytest.raises(httpx.HTTPStatusError) as refused:
        organization.admin.delete_record(organization.name, resource, record_id)

    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        ("project_dates", {"project_id": 1}),
        ("participations", {"user_id": 1}),
        ("participations", {"project_date_id": 1}),
        ("group_members", {"user_id": 1}),
        ("groups", {"members": [4101]}),
        ("form_completions", {"form_id": 1}),
        ("projects", {"id": 5}),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_no_trace(desk, resource, values):
    organization = desk()
    before = len(entries(organization))

    with pytest.raises(httpx.HTTPStatusError) as refused:
        organization.admin.create_record(organization.name, resource, **values)

    assert refused.value.response.status_code == 422
    assert len(entries(organization)) == before


@pytest.mark.parametrize("resource", ["group_members", "earned_certificates"])
def test_a_pair_exists_once(desk, resource):
    organization = desk()
    made = organization.admin.create_record(organization.name, resource)

    with pytest.raises(httpx.HTTPStatusError) as refused:
        organization.admin.create_record(
            organization.name, resource, **{name: value for name, value in made.items() if name != "id"}
        )

    assert refused.value.response.status_code == 409


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        ("group_members", {}),
        ("groups", {"members": []}),
        ("project_dates", {"project_id": 1}),
        ("participations", {"user_id": 1}),
        ("earned_certificates", {"user_id": 1}),
    ],
)
def test_a_record_stays_whose_it_is(desk, resource, values):
    organization = desk()
    made = organization.admin.create_record(organization.name, resource)

    with pytest.raises(httpx.HTTPStatusError) as refused:
        organization.admin.change_record(organization.name, resource, made["id"], **values)

    assert refused.value.response.status_code == 422


def test_a_number_is_given_once(desk):
    organization = desk()
    first = organization.admin.create_record(organization.name, "groups")
    organization.admin.delete_record(organization.name, "groups", first["id"])

    assert organization.admin.create_record(organization.name, "groups")["id"] > first["id"]
