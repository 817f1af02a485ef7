"""`/users`: the list, with every filter, and the detail, which alone shows participations."""

from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.directory import User
from deploy.sandbox.volunteer.filters import user_tests
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.spelling import Spelling, visible

PARTICIPATION_STAMPS = ("signed_up_at", "checked_in_at", "checked_out_at")


def list_users(call: Call) -> Reply:
    directory = call.organization.source.directory
    users = list(directory)
    for test in user_tests(call.query):
        users = [user for user in users if test(user)]
    spelling = Spelling(call.organization.settings)
    return page(call, users, lambda user: user_row(user, spelling))


def show_user(call: Call) -> Reply:
    user = call.organization.source.directory.get(call.number("id"))
    if user is None:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    spelling = Spelling(call.organization.settings)
    rows = call.organization.source.attendance.of_user(user.id)
    return single(
        {
            **user_row(user, spelling),
            "participations": [participation_row(user.id, row, spelling) for row in rows],
            "profile_field_values": [],
            **_certificates(call, user.id, spelling),
        }
    )


def _certificates(call: Call, user_id: int, spelling: Spelling) -> dict[str, Any]:
    """Who earned what may appear in the detail, which is unconfirmed: hence a setting."""
    if not call.organization.settings.earned_certificates:
        return {}
    rows = call.organization.source.earned.of_user(user_id)
    return {"certificates": [_earned_row(row, spelling) for row in rows]}


def _earned_row(row: Row, spelling: Spelling) -> dict[str, Any]:
    extra = {name: value for name, value in row.items() if name not in ("id", "user_id")}
    stamps = {name: spelling.stamp(row.get(name), row["certificate_id"]) for name in ("earned_at", "expires_at")}
    return visible(row, {**extra, "certificate_id": spelling.id(row["certificate_id"]), **stamps})


def user_row(user: User, spelling: Spelling) -> dict[str, Any]:
    """A user as the list shows it, with fields that no document mentions."""
    row = {
        "type": "user",
        "id": spelling.id(user.id),
        **user.values,
        "full_name": f"{user.values.get('first_name')} {user.values.get('last_name')}",
        "created_at": spelling.stamp(user.created, user.id),
        "updated_at": spelling.stamp(user.updated, user.id),
        "avatar": {"url": None, "v": 2},
        "x_beta_score": user.id % 5,
    }
    return {name: value for name, value in row.items() if name not in user.omitted}


def participation_row(user_id: int, row: Row, spelling: Spelling) -> dict[str, Any]:
    """A participation: project ids are strings, hours a decimal string, verified 0 or 1; Anytime has no date."""
    stamps = {name: spelling.stamp(row.get(name), user_id) for name in PARTICIPATION_STAMPS}
    ids = {name: _text(row.get(name)) for name in ("project_id", "project_date_id")}
    return visible(row, {**row, **ids, **stamps})


def _text(value: object) -> str | None:
    return None if value is None else str(value)
