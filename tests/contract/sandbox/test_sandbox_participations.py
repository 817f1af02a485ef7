"""Participations: seen in two places, moving nobody's `updated_at`, and told apart by the export."""

import pytest


def rows_of(organization):
    source = organization.admin.export(organization.name)["source"]
    return {row["id"]: row for rows in source["participations"].values() for row in rows}


def changes_of(organization, resource="participations"):
    """What was noted since the seeds, which happened before any monotonic time."""
    entries = organization.admin.export(organization.name)["source"]["changes"]
    return [row for row in entries if row["resource"] == resource and row["at_monotonic"] > 0]


def shown(organization, user_id):
    return organization.volunteer.get(f"/users/{user_id}").json()["data"]["participations"]


def absent(organization, date_id):
    """Somebody who is not on the date."""
    on_date = {row["user_id"] for row in rows_of(organization).values() if row["project_date_id"] == date_id}
    return next(row["id"] for row in organization.users() if row["id"] not in on_date)


def test_some_seeded_users_have_two_roles_on_one_date(desk):
    organization = desk()
    discriminated = [row for row in rows_of(organization).values() if row["id"].count(":") == 2]

    assert discriminated
    for row in discriminated:
        same = [
            each
            for each in shown(organization, row["user_id"])
            if each["project_date_id"] == str(row["project_date_id"])
        ]
        assert len(same) == len({each["role"] for each in same}) == 2


def test_some_seeded_participations_have_no_date(desk):
    organization = desk()
    row = next(row for row in rows_of(organization).values() if row["project_date_id"] is None)

    (same,) = [each for each in shown(organization, row["user_id"]) if each["project_date_id"] is None]

    assert row["id"] == f"project-{row['project_id']}:{row['user_id']}"
    assert same["project_id"] == str(row["project_id"])
    project = organization.volunteer.get(f"/projects/{row['project_id']}").json()["data"]
    assert (bool(project["anytime"]), project["all_dates"], project["next_date"]) == (True, [], None)


def test_a_large_organization_too_has_no_dates_on_an_anytime_project(desk):
    source = (organization := desk(users=200)).admin.export(organization.name)["source"]
    anytime = {row["id"] for row in source["projects"] if row["anytime"]}

    assert len(anytime) > 1
    assert not [row for row in source["dates"] if row["project_id"] in anytime]
    rows = [row for row in rows_of(organization).values() if row["project_id"] in anytime]
    assert {row["project_date_id"] for row in rows} == {None}
    assert len({(row["project_id"], row["user_id"]) for row in rows}) == len(rows)


def test_a_sign_up_late_hours_and_a_cancellation_show_in_both_views_and_move_no_updated_at(desk):
    organization = desk()
    user_id = absent(organization, 1011)
    before = organization.volunteer.get(f"/users/{user_id}").json()["data"]["updated_at"]
    project = organization.volunteer.get("/projects/701").json()["data"]["updated_at"]

    made = organization.admin.create_record(organization.name, "participations", user_id=user_id, project_date_id=1011)
    changed = organization.admin.change_record(
        organization.name, "participations", made["id"], hours="3.50", verified=1
    )
    (in_detail,) = [row for row in shown(organization, user_id) if row["project_date_id"] == "1011"]
    on_date = organization.volunteer.get("/projects/date/1011").json()["data"]["participants"]

    assert made["id"] == changed["id"] == f"1011:{user_id}"
    assert made["project_id"] == 701
    assert (in_detail["hours"], in_detail["verified"]) == ("3.50", 1)
    assert [row["hours"] for row in on_date if row["user_id"] == user_id] == ["3.50"]

    organization.admin.delete_record(organization.name, "participations", made["id"])
    on_date = organization.volunteer.get("/projects/date/1011").json()["data"]["participants"]

    assert user_id not in [row["user_id"] for row in on_date]
    assert organization.volunteer.get(f"/users/{user_id}").json()["data"]["updated_at"] == before
    assert organization.volunteer.get("/projects/701").json()["data"]["updated_at"] == project
    assert [(row["kind"], row["id"]) for row in changes_of(organization)] == [
        ("create", made["id"]),
        ("change", made["id"]),
        ("delete", made["id"]),
    ]


def test_a_second_role_has_an_id_of_its_own_and_can_be_changed_by_it(desk):
    organization = desk()
    user_id = absent(organization, 1011)
    place = {"user_id": user_id, "project_date_id": 1011}

    organization.admin.create_record(organization.name, "participations", **place)
    made = organization.admin.create_record(organization.name, "participations", **place, role="Welcome / Desk")
    organization.admin.change_record(organization.name, "participations", made["id"], hours="1.25")

    assert made["id"] == f"1011:{user_id}:Welcome / Desk"
    assert rows_of(organization)[made["id"]]["hours"] == "1.25"
    assert rows_of(organization)[f"1011:{user_id}"]["hours"] == "0.00"


def test_an_anytime_participation_can_be_made_for_a_project(desk):
    organization = desk()
    user_id = organization.users()[0]["id"]

    made = organization.admin.create_record(
        organization.name, "participations", user_id=user_id, project_id=702, hours="7.75"
    )

    assert made["id"] == f"project-702:{user_id}"
    assert "7.75" in [row["hours"] for row in shown(organization, user_id) if row["project_date_id"] is None]


@pytest.mark.parametrize("values", [{"hours": "a lot"}, {"hours": None}, {"signed_up_at": "some day"}, {"role": None}])
def test_a_participation_may_be_malformed(desk, values):
    organization = desk()
    user_id = absent(organization, 1011)

    organization.admin.create_record(
        organization.name, "participations", user_id=user_id, project_date_id=1011, omit=["verified"], **values
    )
    (row,) = [row for row in shown(organization, user_id) if row["project_date_id"] == "1011"]

    assert {name: row[name] for name in values} == values
    assert not {"verified", "omit"} & set(row)


def test_times_can_be_given_as_text_with_a_zone(desk):
    organization = desk()
    user_id = absent(organization, 1011)

    made = organization.admin.create_record(
        organization.name,
        "participations",
        user_id=user_id,
        project_date_id=1011,
        checked_in_at="2026-01-01T10:00:00+00:00",
    )

    assert made["checked_in_at"] == 1_767_261_600
    (row,) = [row for row in shown(organization, user_id) if row["project_date_id"] == "1011"]
    assert row["checked_in_at"] == "2026-01-01T10:00:00+00:00"


def test_what_belongs_to_a_deleted_user_is_noted_as_deleted_except_completions(desk):
    organization = desk()
    source = organization.admin.export(organization.name)["source"]
    (user_id,) = {row["user_id"] for row in source["completions"]} and {source["completions"][0]["user_id"]}
    organization.admin.create_record(organization.name, "participations", user_id=user_id, project_id=702)
    organization.admin.create_record(organization.name, "earned_certificates", user_id=user_id, certificate_id=81)
    if user_id not in source["groups"][0]["members"]:
        organization.admin.create_record(organization.name, "group_members", user_id=user_id, group_id=61)

    organization.admin.delete_user(organization.name, user_id)

    after = organization.admin.export(organization.name)["source"]
    gone = {(row["resource"], row["id"]) for row in after["changes"] if row["kind"] == "delete"}
    assert {
        ("participations", f"project-702:{user_id}"),
        ("earned_certificates", f"81:{user_id}"),
        ("group_members", f"61:{user_id}"),
    } <= gone
    assert str(user_id) not in after["participations"]
    assert user_id not in [row["user_id"] for row in after["earned"]]
    assert not [group for group in after["groups"] if user_id in group["members"]]
    assert user_id in [row["user_id"] for row in after["completions"]]
