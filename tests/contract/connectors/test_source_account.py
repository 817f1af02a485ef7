"""A whole account through the source: what was read is what the sandbox says it has, in every spelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.builders import a_customer
from support.clients import an_api
from support.reading import Reading

from common.http.client import make_transport
from poller.sources.registry import SOURCES


@pytest.fixture(scope="module")
def transport():
    with make_transport(5.0) as client:
        yield client


@pytest.fixture
def reading_of(transport):
    def make(access, **settings):
        api = an_api(access.volunteer_base_url, access.volunteer_token, transport=transport, customer_id=access.name)
        return Reading(SOURCES["volunteer"].open(api, a_customer(access.name, source_settings=settings)))

    return make


@pytest.fixture
def account(organization):
    """With every resource, two roles of one person, and more than a page of what is paged."""
    return organization(users=20, earned_certificates=True, form_fields=True)


def text(seconds):
    """Of the export's unix seconds, as canonical records have a time."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def rows(exported):
    """Of every resource that the export lists by itself: id to what a canonical record says of it."""
    dates = {str(row["id"]): row for row in exported["dates"]}
    labels = {str(field["id"]): field["label"] for form in exported["forms"] for field in form["fields"]}
    return {
        "users": {user_id: (user["first_name"], user["last_name"]) for user_id, user in exported["users"].items()},
        "projects": {
            str(row["id"]): (row["name"], bool(row["anytime"]), row["active"], row["draft"])
            for row in exported["projects"]
        },
        "project_dates": {
            key: (str(row["project_id"]), text(row["starts_at"]), text(row["ends_at"])) for key, row in dates.items()
        },
        "participations": {
            row["id"]: (
                str(row["user_id"]), str(row["project_id"]), str(row["project_date_id"] or ""), row["role"],
                row["guests"], *(text(row[name]) for name in ("signed_up_at", "checked_in_at", "checked_out_at")),
                row["hours"], bool(row["verified"]),
            )
            for own in exported["participations"].values() for row in own
        },
        "groups": {str(row["id"]): (row["name"], str(row["parent_id"] or "")) for row in exported["groups"]},
        "group_members": {
            f"{row['id']}:{user_id}": (str(row["id"]), str(user_id))
            for row in exported["groups"] for user_id in row["members"]
        },
        "campaigns": {str(row["id"]): (row["name"],) for row in exported["campaigns"]},
        "organizations": {str(row["id"]): (row["name"], row["slug"]) for row in exported["organizations"]},
        "forms": {
            str(row["id"]): (row["name"], {str(each["id"]): each["label"] for each in row["fields"]})
            for row in exported["forms"]
        },
        "form_completions": {
            str(row["id"]): (
                str(row["form_id"]), str(row["user_id"]), text(row["created_at"]),
                [(labels[str(each["field_id"])], str(each["value"])) for each in row["answers"]],
            )
            for row in exported["completions"]
        },
        "certificates": {
            str(row["id"]): (row["name"], str(row["expires_after_days"] or "")) for row in exported["certificates"]
        },
        "earned_certificates": {
            row["id"]: (
                str(row["certificate_id"]), str(row["user_id"]), text(row["earned_at"]), text(row["expires_at"])
            )
            for row in exported["earned"]
        },
    }  # fmt: skip


FIELDS = {
    "users": ("first_name", "last_name"), "projects": ("name", "anytime", "active", "draft"),
    "project_dates": ("project_id", "starts_at", "ends_at"),
    "participations": (
        "user_id", "project_id", "project_date_id", "role", "guests", "signed_up_at", "checked_in_at",
        "checked_out_at", "hours", "verified",
    ),
    "groups": ("name", "parent_id"), "group_members": ("group_id", "user_id"), "campaigns": ("name",),
    "organizations": ("name", "slug"), "forms": ("name", "labels"),
    "form_completions": ("form_id", "user_id", "completed_at", "answers"),
    "certificates": ("name", "expires_after_days"),
    "earned_certificates": ("certificate_id", "user_id", "earned_at", "expires_at"),
}  # fmt: skip


def said(body, name):
    answers = [(answer["label"], answer["value"]) for answer in body["answers"]] if name == "answers" else None
    return body[name] if answers is None else answers


def test_everything_that_the_account_has_is_read_and_nothing_else(account, reading_of, sandbox):
    reading = reading_of(account).everything()

    expected = rows(sandbox.export(account.name)["source"])
    for resource, fields in FIELDS.items():
        found = {key: tuple(said(body, name) for name in fields) for key, body in reading.of(resource).items()}
        assert found == expected[resource], resource
        assert found, resource
    assert {resource for resource, _ in reading.records} == set(FIELDS)
    assert reading.broken == []


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("id_style", ("int", "string")), ("meta_style", ("int", "string")), ("next_style", ("null", "text")),
        ("timestamp_style", ("offset", "zulu", "bare", "mixed")),
    ],
)  # fmt: skip
def test_every_spelling_of_an_account_gives_the_same_records(account, reading_of, sandbox, setting, values):
    read = []
    for value in values:
        sandbox.change_organization(account.name, **{setting: value})
        reading = reading_of(account).everything()
        assert reading.broken == []
        read.append({key: record.body for key, record in reading.records.items()})

    assert all(other == read[0] for other in read)


def test_both_views_of_a_participation_are_one_record(account, reading_of):
    by_date, by_user = reading_of(account), reading_of(account)
    for reading, kind in ((by_date, "date"), (by_user, "user")):
        for resource in ("users", "projects", "project_dates"):
            for scope, parent in list(reading.scopes(resource)):
                reading.scope(resource, scope, parent)
        for scope, parent in list(reading.scopes("participations")):
            if scope.startswith(kind):
                reading.scope("participations", scope, parent)

    dated = {key: body for key, body in by_user.of("participations").items() if body["project_date_id"]}
    assert by_date.of("participations") == dated
    assert len(dated) < len(by_user.of("participations"))  # Anytime ones have no date to show them
    assert any(key.count(":") > 1 for key in dated)  # one person, two roles


@pytest.mark.parametrize("resource", ["groups", "campaigns", "certificates", "forms", "projects"])
def test_a_list_of_more_than_a_page_is_read_to_its_end(account, reading_of, sandbox, resource):
    for number in range(33):
        sandbox.create_record(account.name, resource, name=f"Number {number}")

    pages = reading_of(account).scope(resource)

    ids = [record.source_id for page in pages for record in page.records]
    assert len(pages) >= 3
    assert len(ids) == len(set(ids)) == pages[0].total
    assert {page.total for page in pages} == {len(ids)}


def test_members_and_completions_are_read_to_their_end(account, reading_of, sandbox):
    group = sandbox.create_record(account.name, "groups")
    form = sandbox.create_record(account.name, "forms")
    users = list(sandbox.export(account.name)["source"]["users"])
    for user_id in users:
        sandbox.create_record(account.name, "group_members", group_id=group["id"], user_id=int(user_id))
        sandbox.create_record(account.name, "form_completions", form_id=form["id"], user_id=int(user_id))

    for resource, scope in (("group_members", f"group/{group['id']}"), ("form_completions", f"form/{form['id']}")):
        pages = reading_of(account).scope(resource, scope)
        assert sorted(record.body["user_id"] for page in pages for record in page.records) == sorted(users)
        assert [page.total for page in pages] == [20, 20]


def stamps(reading):
    return {key: record.updated_at for key, record in reading.records.items() if key[0] in ("users", "projects")}


def test_late_hours_and_a_cancellation_show_in_both_views_and_move_no_other_time(account, reading_of, sandbox):
    before = reading_of(account).everything()
    shown = sandbox.export(account.name)["source"]["participations"]
    own = [row for each in shown.values() for row in each if row["project_date_id"] and row["id"].count(":") == 1]
    alone = [row for row in own if sum(row["id"] in other["id"] for other in own) == 1]
    changed, cancelled = alone[0]["id"], alone[1]["id"]

    sandbox.change_record(account.name, "participations", changed, hours="7.25", verified=1)
    sandbox.delete_record(account.name, "participations", cancelled)
    after = reading_of(account).everything()

    assert (after.of("participations")[changed]["hours"], after.of("participations")[changed]["verified"]) == (
        "7.25",
        True,
    )
    assert cancelled in before.of("participations")
    assert cancelled not in after.of("participations")
    assert stamps(before) == stamps(after)


@pytest.mark.parametrize(
    ("resource", "scope", "parent"),
    [
        ("project_dates", "project/{}", "projects"), ("participations", "date/{}", "project_dates"),
        ("group_members", "group/{}", "groups"), ("form_completions", "form/{}", "forms"),
    ],
)  # fmt: skip
def test_a_scope_whose_parent_was_deleted_is_gone(account, reading_of, sandbox, resource, scope, parent):
    reading = reading_of(account).everything()
    source_id = next(iter(reading.of(parent)))

    sandbox.delete_record(account.name, parent, source_id)
    (page,) = reading.scope(resource, scope.format(source_id))

    assert (page.is_gone, list(page.records), page.total) == (True, [], None)


def test_the_detail_of_a_deleted_user_is_gone(account, reading_of, sandbox):
    reading = reading_of(account)
    reading.scope("users")
    source_id = next(iter(reading.of("users")))

    sandbox.delete_user(account.name, int(source_id))

    assert reading.scope("participations", f"user/{source_id}")[0].is_gone


def test_the_dates_of_today_are_worth_reading_now(account, reading_of, sandbox):
    exported = sandbox.export(account.name)["source"]
    project = next(row for row in exported["projects"] if not row["anytime"])
    noon = datetime.now(tz=UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    date = sandbox.create_record(
        account.name, "project_dates", project_id=project["id"], starts_at=noon.isoformat(),
        ends_at=(noon + timedelta(hours=2)).isoformat(),
    )  # fmt: skip

    (page,) = reading_of(account).scope("project_dates", "today")
    due = [(each.resource, each.scope) for each in page.due]

    assert ("participations", f"date/{date['id']}") in due
    assert ("project_dates", f"project/{project['id']}") in due
    assert len(due) == len(set(due))
    assert (list(page.records), page.total) == ([], 0)


def test_only_projects_and_completions_that_changed_are_asked_for(account, reading_of, sandbox):
    reading = reading_of(account).everything()
    soon = datetime.now(tz=UTC) + timedelta(hours=1)
    project, completion = next(iter(reading.of("projects"))), next(iter(reading.of("form_completions")))
    form = reading.of("form_completions")[completion]["form_id"]
    sandbox.change_record(account.name, "projects", project, updated_at=soon.isoformat())
    sandbox.change_record(account.name, "form_completions", completion, updated_at=soon.isoformat())

    fresh = reading_of(account)
    fresh.scope("projects", updated_after=soon.replace(microsecond=0))
    (page,) = fresh.scope("form_completions", f"form/{form}", updated_after=soon.replace(microsecond=0))

    assert set(fresh.records) == {("projects", project), ("form_completions", completion)}
    assert not page.shows_all


def test_what_a_user_earned_proves_nothing_where_the_account_does_not_show_it(account, reading_of, sandbox):
    sandbox.change_organization(account.name, earned_certificates=False)

    reading = reading_of(account, user_details_complete=True).everything()
    details = [pages[0] for (_, scope), pages in reading.pages.items() if scope.startswith("user/")]

    assert reading.of("earned_certificates") == {}
    assert not any(page.shows_all for page in details)


@pytest.mark.parametrize(
    ("resource", "values", "field"),
    [
        ("projects", {"omit": ["name", "project_name"]}, "name"),
        ("projects", {"name": " "}, "name"),
        ("project_dates", {"starts_at": "soon"}, "starts_at"),
        ("participations", {"hours": "four"}, "hours"),
        ("participations", {"verified": "perhaps"}, "verified"),
        ("participations", {"signed_up_at": "soon"}, "signed_up_at"),
        ("groups", {"omit": ["name"]}, "name"),
        ("campaigns", {"omit": ["campaign_name"]}, "campaign_name"),
        ("forms", {"name": None}, "name"),
        ("form_completions", {"updated_at": "soon"}, "updated_at"),
        ("certificates", {"expires_after_days": "a year"}, "expires_after_days"),
        ("earned_certificates", {"expires_at": "never"}, "expires_at"),
    ],
)
def test_a_record_that_cannot_be_read_names_its_field_and_spoils_no_other(
    account, reading_of, sandbox, resource, values, field
):
    before = reading_of(account).everything()
    parents = {
        "project_dates": {"project_id": 702},
        "participations": {"user_id": 4120, "project_date_id": 1015},
        "form_completions": {"form_id": 310, "user_id": 4101},
        "earned_certificates": {"certificate_id": 81, "user_id": 4119},
    }
    for key in ("1015:4120", "81:4119"):  # the ids that the bad ones will have
        if (resource, key) in before.records:
            sandbox.delete_record(account.name, resource, key)
    bad = sandbox.create_record(account.name, resource, **parents.get(resource, {}), **values)

    after = reading_of(account).everything()

    ids = {broken.source_id for broken in after.broken if broken.resource == resource}
    assert {broken.field for broken in after.broken} == {field}
    assert ids == {str(bad["id"])}
    assert all(account.name in broken.message for broken in after.broken)
    kept = {key for key in before.records if key[1] != str(bad["id"])}
    assert kept <= set(after.records)
