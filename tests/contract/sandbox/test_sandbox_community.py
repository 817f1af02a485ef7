"""Groups and their members, campaigns, organizations, certificates and who earned them."""

import pytest


def members(organization, group_id):
    rows, url = [], f"/groups/{group_id}/members"
    while url not in (None, "null"):
        answer = organization.volunteer.get(url).raise_for_status().json()
        rows, url = [*rows, *answer["data"]], answer["links"]["next"]
    return [row["id"] for row in rows]


def changes_of(organization, resource):
    entries = organization.admin.export(organization.name)["source"]["changes"]
    return [row for row in entries if row["resource"] == resource and row["at_monotonic"] > 0]


def outsider(organization, group_id):
    return next(row["id"] for row in organization.users() if row["id"] not in members(organization, group_id))


def test_members_come_in_pages(desk):
    organization = desk(users=200)

    first = organization.volunteer.get("/groups/61/members").json()

    assert len(first["data"]) == 15
    assert first["meta"]["total"] == 50
    assert len(set(members(organization, 61))) == 50


def test_members_join_and_leave_and_the_group_does_not_move(desk):
    organization = desk()
    user_id = outsider(organization, 61)
    before = organization.volunteer.get("/groups/61").json()["data"]

    made = organization.admin.create_record(organization.name, "group_members", group_id=61, user_id=user_id)
    joined = members(organization, 61)
    organization.admin.delete_record(organization.name, "group_members", made["id"])

    assert made == {"id": f"61:{user_id}", "group_id": 61, "user_id": user_id}
    assert user_id in joined
    assert user_id not in members(organization, 61)
    assert organization.volunteer.get("/groups/61").json()["data"] == before
    assert [(row["kind"], row["id"], row["values"]) for row in changes_of(organization, "group_members")] == [
        ("create", made["id"], made),
        ("delete", made["id"], {}),
    ]


def test_a_group_is_renamed_made_and_deleted_with_its_memberships(desk):
    organization = desk()
    name = organization.name

    made = organization.admin.create_record(name, "groups", parent_id=61, name="Friday")
    user_id = outsider(organization, made["id"])
    organization.admin.create_record(name, "group_members", group_id=made["id"], user_id=user_id)
    organization.admin.change_record(
        name, "groups", made["id"], name="Saturday", updated_at="2031-01-01T00:00:00+00:00"
    )
    shown = organization.volunteer.get(f"/groups/{made['id']}").json()["data"]
    organization.admin.delete_record(name, "groups", made["id"])

    assert (shown["name"], shown["parent_id"], shown["updated_at"]) == ("Saturday", 61, "2031-01-01T00:00:00+00:00")
    assert "members" not in shown
    assert organization.volunteer.get(f"/groups/{made['id']}").status_code == 404
    assert changes_of(organization, "group_members")[-1]["kind"] == "delete"
    assert [row["kind"] for row in changes_of(organization, "groups")] == ["create", "change", "delete"]
    assert all("members" not in row["values"] for row in changes_of(organization, "groups"))


def test_groups_know_their_parent_and_can_be_asked_for_by_it(desk):
    rows = desk().volunteer.get("/groups", params={"parent_id": 61}).json()["data"]

    assert [(row["id"], row["parent_id"], row["has_subgroups"]) for row in rows] == [(62, 61, False), (63, 61, False)]


@pytest.mark.parametrize("path", ["/groups", "/campaigns", "/organizations", "/certificates"])
def test_filters_that_no_document_names_are_ignored(desk, path):
    organization = desk()
    everything = organization.volunteer.get(path).json()["data"]

    query = {"updated_after": "2999-01-01", "created_before": "not a date", "name_like": "nothing"}

    assert everything
    assert organization.volunteer.get(path, params=query).json()["data"] == everything


def test_campaigns_and_certificates_are_live(desk):
    organization = desk()
    name = organization.name

    drive = organization.admin.create_record(name, "campaigns", name="Spring")
    training = organization.admin.create_record(name, "certificates", name="First Aid", expires_after_days=730)
    organization.admin.change_record(name, "campaigns", drive["id"], name="Summer", description="Warm")

    shown = organization.volunteer.get(f"/campaigns/{drive['id']}").json()["data"]
    assert (shown["campaign_name"], shown["description"]) == ("Summer", "Warm")
    rows = {row["id"]: row for row in organization.volunteer.get("/certificates").json()["data"]}
    assert rows[training["id"]]["expires_after_days"] == 730

    organization.admin.delete_record(name, "campaigns", drive["id"])
    organization.admin.delete_record(name, "certificates", training["id"])
    assert organization.volunteer.get(f"/campaigns/{drive['id']}").status_code == 404
    assert training["id"] not in [row["id"] for row in organization.volunteer.get("/certificates").json()["data"]]


def test_the_organizations_of_the_export_are_those_of_the_api(desk):
    organization = desk()

    exported = organization.admin.export(organization.name)["source"]["organizations"]

    assert [{"type": "organization", **row} for row in exported] == organization.volunteer.get("/organizations").json()[
        "data"
    ]


def test_the_detail_of_a_user_shows_what_they_earned(desk):
    organization = desk()
    row = organization.admin.export(organization.name)["source"]["earned"][0]

    (shown,) = organization.volunteer.get(f"/users/{row['user_id']}").json()["data"]["certificates"]

    assert row["id"] == f"{row['certificate_id']}:{row['user_id']}"
    assert shown["certificate_id"] == row["certificate_id"]
    assert set(shown) == {"certificate_id", "earned_at", "expires_at"}
    assert "certificates" not in organization.users()[0]


def test_the_detail_of_a_user_may_lack_certificates(desk):
    organization = desk(earned_certificates=False)

    assert organization.admin.export(organization.name)["source"]["earned"]
    assert "certificates" not in organization.volunteer.get("/users/4101").json()["data"]


def test_a_certificate_is_earned_renewed_and_taken_back_without_moving_the_user(desk):
    organization = desk()
    name = organization.name
    earned = {row["user_id"] for row in organization.admin.export(name)["source"]["earned"]}
    user = next(row for row in organization.users() if row["id"] not in earned)

    made = organization.admin.create_record(
        name, "earned_certificates", user_id=user["id"], certificate_id=82, earned_at="2026-01-01T00:00:00+00:00"
    )
    organization.admin.change_record(name, "earned_certificates", made["id"], expires_at="2027-01-01T00:00:00+00:00")
    detail = organization.volunteer.get(f"/users/{user['id']}").json()["data"]
    organization.admin.delete_record(name, "earned_certificates", made["id"])

    assert made["expires_at"] is None
    assert detail["certificates"] == [
        {
            "certificate_id": 82,
            "earned_at": "2026-01-01T00:00:00+00:00",
            "expires_at": "2027-01-01T00:00:00+00:00",
        }
    ]
    assert detail["updated_at"] == user["updated_at"]
    assert organization.volunteer.get(f"/users/{user['id']}").json()["data"]["certificates"] == []
    assert [row["kind"] for row in changes_of(organization, "earned_certificates")] == ["create", "change", "delete"]


def test_a_deleted_certificate_is_nobodys_any_more(desk):
    organization = desk()

    organization.admin.delete_record(organization.name, "certificates", 81)

    earned = organization.admin.export(organization.name)["source"]["earned"]
    assert 81 not in [row["certificate_id"] for row in earned]
    assert {row["kind"] for row in changes_of(organization, "earned_certificates")} == {"delete"}
