"""What a client of the stand-in Volunteer API has to live with: users."""

import re
from datetime import datetime, timedelta

import pytest


def test_pages_hold_fifteen_and_links_carry_the_filters(desk):
    page = desk().volunteer.get("/users", params={"updated_after": "2000-01-01", "page": 2}).json()

    assert len(page["data"]) == 15
    assert "updated_after=2000-01-01" in page["links"]["next"]
    assert "page=3" in page["links"]["next"]
    assert page["links"]["next"].startswith("http://")
    assert page["meta"]["total"] == 40


def test_following_the_links_gives_every_user_once(desk):
    organization = desk()

    ids = [row["id"] for row in organization.users()]

    assert len(ids) == len(set(ids)) == 40


@pytest.mark.parametrize(("style", "end"), [("null", None), ("text", "null")])
def test_the_end_of_the_pages_is_null_or_the_text_null(desk, style, end):
    organization = desk(next_style=style)

    assert organization.volunteer.get("/users", params={"page": 3}).json()["links"]["next"] == end
    assert organization.volunteer.get("/users").json()["links"]["prev"] == end


def test_a_page_past_the_end_is_empty(desk):
    page = desk().volunteer.get("/users", params={"page": 99}).json()

    assert page["data"] == []
    assert page["links"]["next"] is None


def test_ids_and_page_numbers_may_be_text(desk):
    page = desk(id_style="string", meta_style="string").volunteer.get("/users").json()

    assert page["meta"]["total"] == "40"
    assert all(isinstance(row["id"], str) for row in page["data"])


@pytest.mark.parametrize(
    ("style", "pattern"),
    [
        ("offset", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
        ("zulu", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z"),
        ("bare", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    ],
)
def test_timestamps_have_three_spellings(desk, style, pattern):
    rows = desk(timestamp_style=style).users()

    assert all(re.fullmatch(pattern, row["updated_at"]) for row in rows)


def test_an_organization_may_mix_the_spellings(desk):
    rows = desk(timestamp_style="mixed").users()

    assert len({len(row["updated_at"]) for row in rows}) == 3


def test_updated_after_and_before_are_inclusive(desk):
    organization = desk()
    row = organization.users()[0]

    same = organization.users(updated_after=row["updated_at"], updated_before=row["updated_at"])

    assert row["id"] in [other["id"] for other in same]
    assert {other["updated_at"] for other in same} == {row["updated_at"]}


def test_updated_after_leaves_out_what_is_older(desk):
    organization = desk()
    latest = max(datetime.fromisoformat(row["updated_at"]) for row in organization.users())

    later = (latest + timedelta(seconds=1)).isoformat()

    assert organization.users(updated_after=later) == []


def test_created_filters_work_alike(desk):
    organization = desk()
    row = organization.users()[0]

    same = organization.users(created_after=row["created_at"], created_before=row["created_at"])

    assert row["id"] in [other["id"] for other in same]


def test_a_senseless_date_is_refused(desk):
    answer = desk().volunteer.get("/users", params={"updated_after": "soon"})

    assert answer.status_code == 422
    assert "updated_after" in answer.json()["errors"]


def test_like_filters_are_case_insensitive_and_combine(desk):
    organization = desk()
    row = organization.users()[0]

    found = organization.users(email_like=row["email"].upper(), name_like=row["last_name"][:4].lower())

    assert [other["id"] for other in found] == [row["id"]]
    assert organization.users(email_like=row["email"], name_like="nobody at all") == []


def test_many_seeded_users_share_one_second(desk):
    stamps = [row["updated_at"] for row in desk().users()]

    assert max(stamps.count(stamp) for stamp in stamps) >= 10


def test_the_order_is_by_last_name_and_not_by_change(desk):
    rows = desk().users()

    assert [(row["last_name"], row["id"]) for row in rows] == sorted((row["last_name"], row["id"]) for row in rows)
    stamps = [row["updated_at"] for row in rows]
    assert stamps != sorted(stamps)
    assert stamps != sorted(stamps, reverse=True)


def test_a_rename_between_two_pages_hides_one_user_and_a_deletion_another(desk):
    organization = desk()
    first = organization.volunteer.get("/users").json()
    late = organization.users()[15]

    organization.admin.change_user(organization.name, first["data"][0]["id"], last_name="Zzyx")
    second = organization.volunteer.get(first["links"]["next"]).json()

    assert late["id"] not in [row["id"] for row in [*first["data"], *second["data"]]]

    second_late = organization.users()[30]
    organization.admin.delete_user(organization.name, first["data"][1]["id"])
    third = organization.volunteer.get(second["links"]["next"]).json()

    assert second_late["id"] not in [row["id"] for row in third["data"]]


def test_an_edit_moves_updated_at_and_a_silent_one_does_not(desk):
    organization = desk()
    row = organization.users()[0]

    organization.admin.change_user(organization.name, row["id"], phone="555-0199", silent=True)
    silent = organization.volunteer.get(f"/users/{row['id']}").json()["data"]
    organization.admin.change_user(organization.name, row["id"], phone="555-0198")
    loud = organization.volunteer.get(f"/users/{row['id']}").json()["data"]

    assert (silent["phone"], silent["updated_at"]) == ("555-0199", row["updated_at"])
    assert loud["updated_at"] > row["updated_at"]


def test_a_deleted_user_is_gone_without_a_trace(desk):
    organization = desk()
    gone = organization.users()[3]

    organization.admin.delete_user(organization.name, gone["id"])

    assert organization.volunteer.get(f"/users/{gone['id']}").status_code == 404
    assert gone["id"] not in [row["id"] for row in organization.users()]
    assert organization.volunteer.get("/users").json()["meta"]["total"] == 39
    assert organization.admin.export(organization.name)["source"]["deleted"] == [gone["id"]]


def test_participations_are_in_the_detail_alone_and_move_no_updated_at(desk):
    organization = desk()
    row = organization.users()[0]
    participation = {"project_id": 701, "project_date_id": 1011, "role": "Volunteer", "hours": "4.00", "verified": 1}

    organization.admin.change_user(organization.name, row["id"], participations=[participation])
    detail = organization.volunteer.get(f"/users/{row['id']}").json()["data"]
    date = organization.volunteer.get("/projects/date/1011").json()["data"]

    assert "participations" not in row
    assert detail["updated_at"] == row["updated_at"]
    assert detail["participations"][0]["hours"] == "4.00"
    assert detail["participations"][0]["verified"] == 1
    assert detail["participations"][0]["project_id"] == "701"
    assert row["id"] in [other["user_id"] for other in date["participants"]]


def test_a_user_may_be_malformed(desk):
    organization = desk()

    made = organization.admin.create_user(organization.name, email=None, favourite="blue", omit=["last_name"])
    detail = organization.volunteer.get(f"/users/{made['id']}").json()["data"]

    assert detail["email"] is None
    assert detail["favourite"] == "blue"
    assert "last_name" not in detail


def test_the_address_is_one_line_and_the_export_has_its_parts(desk):
    organization = desk()
    row = next(row for row in organization.users() if row["address"])

    parts = organization.admin.export(organization.name)["source"]["users"][str(row["id"])]["address_parts"]

    line = f"{parts['address1']}, {parts['city']}, {parts['state']} {parts['postal']}, {parts['country']}"
    assert row["address"] == line


def test_emails_are_unique_and_every_user_carries_the_canary(desk):
    organization = desk()

    rows = organization.users()

    assert len({row["email"] for row in rows}) == len(rows)
    assert all(organization.access.canary in row["last_name"] for row in rows)


def test_ids_collide_between_organizations_but_values_do_not(desk):
    one, other = desk(), desk()

    assert {row["id"] for row in one.users()} == {row["id"] for row in other.users()}
    assert not {row["email"] for row in one.users()} & {row["email"] for row in other.users()}
