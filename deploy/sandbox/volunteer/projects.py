"""`/projects` and their dates; the participants live on the date and move no `updated_at`."""

from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.filters import Test, span_tests
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.source import Row, Source
from deploy.sandbox.volunteer.spelling import Spelling
from deploy.sandbox.volunteer.users import participation_row

DAY_SECONDS = 86_400
TRUTHS = ("1", "true")


def list_projects(call: Call) -> Reply:
    source = call.organization.source
    tests = span_tests(call.query, "updated", lambda row: row["updated_at"])
    tests += [_flag_test(call, name) for name in ("active", "anytime") if name in call.query]
    if needle := call.query.get("name_like", "").lower():
        tests.append(lambda row: needle in row["name"].lower())
    dated = span_tests(call.query, "dates", lambda date: date["starts_at"])
    if dated:
        tests.append(lambda row: any(all(test(date) for test in dated) for date in dates_of(source, row["id"])))
    rows = [row for row in source.projects.values() if all(test(row) for test in tests)]
    return page(call, sorted(rows, key=lambda row: (row["name"], row["id"])), lambda row: project_row(row, call))


def show_project(call: Call) -> Reply:
    row = call.organization.source.projects.get(call.number("id"))
    if row is None:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    dates = dates_of(call.organization.source, row["id"])
    return single({**project_row(row, call), "all_dates": [date_row(date, call) for date in dates]})


def list_today(call: Call) -> Reply:
    """One entry per date of the present UTC day, without the project's name."""
    today = int(call.now.timestamp()) // DAY_SECONDS
    dates = [date for date in call.organization.source.dates.values() if date["starts_at"] // DAY_SECONDS == today]
    return page(call, dates, lambda date: {**date_row(date, call), "project_id": str(date["project_id"])})


def show_date(call: Call) -> Reply:
    source = call.organization.source
    date = source.dates.get(call.number("id"))
    if date is None:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    project = source.projects[date["project_id"]]
    rows = [participant_row(user_id, row, call) for user_id, row in source.participants(date["id"])]
    extra = {"project_id": str(project["id"]), "project_name": project["name"], "participants": rows}
    return single({**date_row(date, call), **extra})


def dates_of(source: Source, project_id: int) -> list[Row]:
    return [date for date in source.dates.values() if date["project_id"] == project_id]


def project_row(row: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    dates = dates_of(call.organization.source, row["id"])
    coming = [date for date in dates if date["starts_at"] > call.now.timestamp()]
    return {
        **row,
        "type": "project",
        "id": spelling.id(row["id"]),
        "project_name": row["name"],
        "organization_slug": call.organization.name,
        "next_date": date_row(coming[0], call) if coming else None,
        "created_at": spelling.stamp(row["created_at"], row["id"]),
        "updated_at": spelling.stamp(row["updated_at"], row["id"]),
    }


def date_row(date: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    stamps = {name: spelling.stamp(date[name], date["id"]) for name in ("starts_at", "ends_at")}
    return {"type": "project_date", "id": spelling.id(date["id"]), **stamps}


def participant_row(user_id: int, row: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    user = call.organization.source.directory.get(user_id)
    known = {name: user.values.get(name) for name in ("first_name", "last_name", "email")} if user else {}
    return {"user_id": spelling.id(user_id), **known, **participation_row(user_id, row, spelling)}


def _flag_test(call: Call, name: str) -> Test:
    wanted = call.query[name].lower() in TRUTHS
    return lambda row: bool(row[name]) == wanted
