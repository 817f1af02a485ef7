"""After a stream of edits of every kind, the API shows what the export says, and the log leads to it."""

from deploy.sandbox.resource_edits import RESOURCE_EDITS

WEIGHTS = {**dict.fromkeys(RESOURCE_EDITS, 3), "create": 1, "change": 1, "delete": 1, "participation": 1}
#: Where the export keeps what the log calls by our name for it.
STATES = {
    "projects": "projects",
    "project_dates": "dates",
    "groups": "groups",
    "campaigns": "campaigns",
    "forms": "forms",
    "form_completions": "completions",
    "certificates": "certificates",
    "earned_certificates": "earned",
}


def edited(desk, eventually, **settings):
    organization = desk(**settings)
    organization.admin.start_edits(
        seconds=0.5, per_second=800, organizations=[organization.name], weights=WEIGHTS, seed=3
    )
    eventually(lambda: not organization.admin.edits()["running"])
    return organization, organization.admin.export(organization.name)["source"]


def replayed(changes):
    """The state that the log leads to, by resource and id."""
    state = {}
    for row in changes:
        if row["kind"] == "delete":
            del state[row["resource"], row["id"]]
        else:
            assert ((row["resource"], row["id"]) in state) is (row["kind"] == "change")
            state[row["resource"], row["id"]] = row["values"]
    return state


def exported(source):
    state = {
        (resource, str(row["id"])): {name: value for name, value in row.items() if name != "members"}
        for resource, key in STATES.items()
        for row in source[key]
    }
    state |= {("participations", row["id"]): row for rows in source["participations"].values() for row in rows}
    pairs = [(group["id"], user_id) for group in source["groups"] for user_id in group["members"]]
    members = {
        f"{group}:{user}": {"id": f"{group}:{user}", "group_id": group, "user_id": user} for group, user in pairs
    }
    return state | {("group_members", key): row for key, row in members.items()}


def pages(organization, path):
    rows, url = [], path
    while url not in (None, "null"):
        answer = organization.volunteer.get(url).raise_for_status().json()
        rows, url = [*rows, *answer["data"]], answer["links"]["next"]
    return rows


def data(organization, path):
    return organization.volunteer.get(path).raise_for_status().json()["data"]


def test_the_log_leads_from_nothing_to_the_state_of_the_export(desk, eventually):
    organization, source = edited(desk, eventually)

    applied = organization.admin.edits()["applied"]

    assert sum(applied.values()) == 400
    assert all(applied[kind] for kind in RESOURCE_EDITS)
    assert replayed(source["changes"]) == exported(source)


def test_the_api_shows_the_state_of_the_export(desk, eventually):
    organization, source = edited(desk, eventually, users=60)

    assert {row["id"]: row["name"] for row in pages(organization, "/projects")} == {
        row["id"]: row["name"] for row in source["projects"]
    }
    for group in source["groups"]:
        assert {row["id"] for row in pages(organization, f"/groups/{group['id']}/members")} == set(group["members"])
        assert data(organization, f"/groups/{group['id']}")["name"] == group["name"]
    for form in source["forms"]:
        shown = {row["id"]: row["field_responses"] for row in pages(organization, f"/forms/{form['id']}/completions")}
        kept = {row["id"]: row["answers"] for row in source["completions"] if row["form_id"] == form["id"]}
        assert {key: [each["value"] for each in row] for key, row in shown.items()} == {
            key: [each["value"] for each in row] for key, row in kept.items()
        }


def test_both_views_of_the_participations_agree_with_the_export(desk, eventually):
    organization, source = edited(desk, eventually)
    rows = [row for rows in source["participations"].values() for row in rows]
    facts = ("role", "hours", "verified", "guests")

    by_date = {
        (str(date["id"]), row["user_id"], *(row[name] for name in facts))
        for date in source["dates"]
        for row in data(organization, f"/projects/date/{date['id']}")["participants"]
    }
    by_user = {
        (row["project_date_id"], int(user_id), *(row[name] for name in facts))
        for user_id in source["users"]
        for row in data(organization, f"/users/{user_id}")["participations"]
    }

    assert by_user == {
        (row["project_date_id"] and str(row["project_date_id"]), row["user_id"], *(row[name] for name in facts))
        for row in rows
    }
    assert by_date == {row for row in by_user if row[0]}


def test_what_a_user_earned_is_in_their_detail(desk, eventually):
    organization, source = edited(desk, eventually)

    shown = {
        f"{row['certificate_id']}:{user_id}"
        for user_id in source["users"]
        for row in data(organization, f"/users/{user_id}")["certificates"]
    }

    assert shown == {row["id"] for row in source["earned"]}
