"""`/users`: the list, with every filter, and the detail, which alone shows participations."""

from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.directory import User
from deploy.sandbox.volunteer.filters import user_tests
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.source import Row
from deploy.sandbox.volunteer.spelling import Spelling

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
    rows = call.organization.source.participations.get(user.id, [])
    return single(
        {
            **user_row(user, spelling),
            "participations": [participation_row(user.id, row, spelling) for row in rows],
            "profile_field_values": [],
        }
    )


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
    """A participation: project ids are strings, hours a decimal string, verified 0 or 1."""
    stamps = {name: spelling.stamp(row.get(name), user_id) for name in PARTICIPATION_STAMPS}
    ids = {name: str(row[name]) for name in ("project_id", "project_date_id")}
    return {**row, **ids, **stamps}
