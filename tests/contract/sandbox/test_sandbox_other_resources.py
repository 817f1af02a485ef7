"""The other resources of the stand-in Volunteer API: simple, but true to the seeded state."""

import pytest

LISTS = ("/projects", "/projects/today", "/groups", "/groups/61/members", "/campaigns", "/organizations", "/forms")
DETAILS = ("/projects/701", "/projects/date/1011", "/groups/61", "/campaigns/51", "/organizations/1")


@pytest.mark.parametrize("path", [*LISTS, "/forms/310/completions", "/certificates"])
def test_every_list_has_the_same_envelope(desk, path):
    answer = desk().volunteer.get(path)

    assert answer.status_code == 200
    assert set(answer.json()) == {"data", "links", "meta"}
    assert answer.json()["data"]


@pytest.mark.parametrize("path", [*DETAILS, "/forms/310/completions/90001"])
def test_every_detail_is_wrapped(desk, path):
    assert isinstance(desk().volunteer.get(path).json()["data"]["id"], int)


def test_projects_can_be_asked_for_by_date_and_state(desk):
    organization = desk(users=200)
    everything = organization.volunteer.get("/projects").json()["meta"]["total"]

    active = organization.volunteer.get("/projects", params={"active": "1"}).json()
    future = organization.volunteer.get("/projects", params={"dates_after": "2999-01-01"}).json()

    assert 0 < active["meta"]["total"] < everything
    assert future["data"] == []


def test_a_project_shows_all_its_dates(desk):
    project = desk().volunteer.get("/projects/701").json()["data"]

    assert len(project["all_dates"]) == 3
    assert project["name"] == project["project_name"]


def test_a_deleted_user_leaves_the_group(desk):
    organization = desk()
    members = organization.volunteer.get("/groups/61/members").json()["data"]

    organization.admin.delete_user(organization.name, members[0]["id"])
    left = organization.volunteer.get("/groups/61/members").json()["data"]

    assert members[0]["id"] not in [row["id"] for row in left]


def test_completions_carry_their_answers_and_can_be_asked_for_by_user(desk):
    organization = desk()
    rows = organization.volunteer.get("/forms/310/completions").json()["data"]

    mine = organization.volunteer.get("/forms/310/completions", params={"user_id": rows[0]["user_id"]}).json()["data"]

    assert [row["id"] for row in mine] == [rows[0]["id"]]
    assert rows[0]["field_responses"][0]["user_id"] == rows[0]["user_id"]


@pytest.mark.parametrize("path", ["/users/1", "/users/abc", "/projects/1", "/groups/1", "/forms/1/completions", "/no"])
def test_what_does_not_exist_is_a_404_with_a_message(desk, path):
    answer = desk().volunteer.get(path)

    assert answer.status_code == 404
    assert answer.json()["message"]
