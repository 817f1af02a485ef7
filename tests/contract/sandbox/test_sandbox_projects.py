"""Projects and their dates: filters, dates around today, and what an edit of a date moves."""

from datetime import UTC, datetime, timedelta

import pytest


def names(organization, **query):
    rows, url, params = [], "/projects", query
    while url not in (None, "null"):
        answer = organization.volunteer.get(url, params=params).raise_for_status().json()
        rows, url, params = rows + answer["data"], answer["links"]["next"], None
    return {row["name"] for row in rows}


def day(days):
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def updated(organization, project_id):
    return organization.volunteer.get(f"/projects/{project_id}").json()["data"]["updated_at"]


def make(organization, name, **values):
    return organization.admin.create_record(organization.name, "projects", name=name, **values)


def test_every_organization_has_a_project_of_each_special_kind_and_one_today(desk):
    organization = desk(users=1)

    source = organization.admin.export(organization.name)["source"]

    assert any(row["anytime"] for row in source["projects"])
    assert any(row["draft"] for row in source["projects"])
    assert any(not row["active"] for row in source["projects"])
    window = [abs(row["starts_at"] - datetime.now(UTC).timestamp()) < 12 * 86_400 for row in source["dates"]]
    assert sum(window) >= 4
    assert organization.volunteer.get("/projects/today").json()["data"]


def test_projects_can_be_asked_for_by_change_but_not_by_an_end(desk):
    organization = desk()
    make(organization, "Older", updated_at="2026-01-01T00:00:00+00:00")
    make(organization, "Newer", updated_at="2026-03-01T00:00:00+00:00")

    assert {"Older", "Newer"} <= names(organization, updated_after="2026-01-01T00:00:00+00:00")
    assert names(organization, updated_after="2026-01-01T00:00:01+00:00") == {"Newer"}
    assert "Newer" in names(organization, updated_before="2026-02-01T00:00:00+00:00")


def test_projects_can_be_asked_for_by_the_days_of_one_of_their_dates(desk):
    organization = desk()
    for name, offsets in (("Past", [-100]), ("Soon", [200]), ("Around", [-100, 200])):
        project = make(organization, name)
        for offset in offsets:
            organization.admin.create_record(
                organization.name, "project_dates", project_id=project["id"], starts_at=day(offset)
            )

    assert names(organization, dates_after=day(190)) == {"Soon", "Around"}
    assert names(organization, dates_before=day(-90)) == {"Past", "Around"}
    assert names(organization, dates_after=day(-90), dates_before=day(190)).isdisjoint({"Past", "Soon", "Around"})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"active": "1"}, {"Plain", "Draft", "Any"}),
        ({"active": "false"}, {"Rest"}),
        ({"anytime": "true"}, {"Any"}),
        ({"anytime": "0"}, {"Plain", "Rest", "Draft"}),
        ({"published": "1"}, {"Plain", "Rest", "Any"}),
        ({"active": "1", "anytime": "0", "published": "1", "name_like": "pLAI"}, {"Plain"}),
        ({"org_slug": "nobody,else"}, set()),
    ],
)
def test_projects_can_be_asked_for_by_state(desk, query, found):
    organization = desk()
    mine = {"Plain": {}, "Rest": {"active": False}, "Draft": {"draft": True}, "Any": {"anytime": 1}}
    for name, values in mine.items():
        make(organization, name, **values)

    assert names(organization, **query) & set(mine) == found


def test_a_rename_and_a_draft_move_updated_at_unless_they_are_silent(desk):
    organization = desk()
    seeded = updated(organization, 701)

    organization.admin.change_record(organization.name, "projects", 701, draft=True, silent=True)
    silent = organization.volunteer.get("/projects/701").json()["data"]
    organization.admin.change_record(organization.name, "projects", 701, name="Another")
    loud = organization.volunteer.get("/projects/701").json()["data"]

    assert (silent["draft"], silent["updated_at"]) == (True, seeded)
    assert (loud["name"], loud["project_name"]) == ("Another", "Another")
    assert loud["updated_at"] > seeded


@pytest.mark.parametrize("touching", [True, False])
def test_whether_a_date_moves_its_project_is_a_setting(desk, touching):
    organization = desk(dates_touch_project=touching)
    name, old = organization.name, "2026-01-01T00:00:00+00:00"

    def moves(edit):
        organization.admin.change_record(name, "projects", 701, updated_at=old)
        edit()
        return updated(organization, 701) != old

    made = organization.admin.create_record(name, "project_dates", project_id=702)["id"]
    assert moves(lambda: organization.admin.create_record(name, "project_dates", project_id=701)) is touching
    assert moves(lambda: organization.admin.change_record(name, "project_dates", 1011, starts_at=day(3))) is touching
    assert moves(lambda: organization.admin.delete_record(name, "project_dates", 1012)) is touching
    assert not moves(lambda: organization.admin.delete_record(name, "project_dates", made))


def test_a_date_is_added_moved_and_removed(desk):
    organization = desk()
    name = organization.name

    made = organization.admin.create_record(
        name, "project_dates", project_id=701, starts_at="2031-05-01T09:00:00+00:00"
    )
    shown = organization.volunteer.get("/projects/701").json()["data"]["all_dates"]
    assert [row["starts_at"] for row in shown if row["id"] == made["id"]] == ["2031-05-01T09:00:00+00:00"]

    organization.admin.change_record(name, "project_dates", made["id"], starts_at="2031-05-02T09:00:00+00:00")
    moved = organization.volunteer.get(f"/projects/date/{made['id']}").json()["data"]
    assert moved["starts_at"] == "2031-05-02T09:00:00+00:00"

    organization.admin.delete_record(name, "project_dates", made["id"])
    assert organization.volunteer.get(f"/projects/date/{made['id']}").status_code == 404
    assert organization.admin.create_record(name, "project_dates", project_id=701)["id"] > made["id"]


def test_a_deleted_project_takes_its_dates_and_their_participations_with_it(desk):
    organization = desk()
    user_id = organization.users()[0]["id"]
    organization.admin.change_user(organization.name, user_id, participations=[])
    dated = organization.admin.create_record(organization.name, "participations", user_id=user_id, project_date_id=1011)
    anytime = organization.admin.create_record(organization.name, "participations", user_id=user_id, project_id=701)

    organization.admin.delete_record(organization.name, "projects", 701)

    changes = organization.admin.export(organization.name)["source"]["changes"]
    gone = [(row["resource"], row["id"]) for row in changes if row["kind"] == "delete"]
    assert {("participations", dated["id"]), ("participations", anytime["id"]), ("project_dates", "1011")} <= set(gone)
    assert gone[-1] == ("projects", "701")
    assert organization.volunteer.get("/projects/701").status_code == 404
    assert organization.volunteer.get(f"/users/{user_id}").json()["data"]["participations"] == []


@pytest.mark.parametrize("values", [{"starts_at": "next week"}, {"starts_at": None}])
def test_a_date_may_be_malformed(desk, values):
    organization = desk()

    made = organization.admin.create_record(organization.name, "project_dates", project_id=701, **values)
    shown = organization.volunteer.get("/projects/701").json()["data"]["all_dates"]

    assert [row["starts_at"] for row in shown if row["id"] == made["id"]] == [values["starts_at"]]
    assert organization.volunteer.get("/projects/today").status_code == 200
    assert organization.volunteer.get("/projects", params={"dates_after": "2020-01-01"}).status_code == 200


def test_a_project_may_lack_its_name(desk):
    organization = desk()

    nameless = make(organization, None)
    hidden = organization.admin.create_record(organization.name, "projects", omit=["name", "project_name"])

    assert organization.volunteer.get(f"/projects/{nameless['id']}").json()["data"]["name"] is None
    assert not {"name", "project_name", "omit"} & set(
        organization.volunteer.get(f"/projects/{hidden['id']}").json()["data"]
    )
    assert organization.volunteer.get("/projects", params={"name_like": "a"}).status_code == 200
