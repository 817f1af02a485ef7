"""`/projects` and their dates; the participants live on the date and move no `updated_at`."""

from collections.abc import Mapping
from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.filters import Test, after_tests, second, span_tests
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.source import Source
from deploy.sandbox.volunteer.spelling import Spelling, visible
from deploy.sandbox.volunteer.users import participation_row

DAY_SECONDS = 86_400
TRUTHS = ("1", "true")


def list_projects(call: Call) -> Reply:
    """The filters of the documents, of which none is `updated_before`."""
    source = call.organization.source
    tests = [*after_tests(call.query, "updated", lambda row: row.get("updated_at")), *_flag_tests(call.query)]
    if needle := call.query.get("name_like", "").lower():
        tests.append(lambda row: needle in _name(row).lower())
    if slugs := call.query.get("org_slug"):
        tests.append(lambda _: call.organization.name in slugs.split(","))
    dated = span_tests(call.query, "dates", lambda date: date.get("starts_at"))
    if dated:
        tests.append(lambda row: any(all(test(date) for test in dated) for date in dates_of(source, row["id"])))
    rows = [row for row in source.projects.values() if all(test(row) for test in tests)]
    return page(call, sorted(rows, key=lambda row: (_name(row), row["id"])), lambda row: project_row(row, call))


def show_project(call: Call) -> Reply:
    row = call.organization.source.projects.get(call.number("id"))
    if row is None:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    dates = dates_of(call.organization.source, row["id"])
    return single({**project_row(row, call), "all_dates": [date_row(date, call) for date in dates]})


def list_today(call: Call) -> Reply:
    """One entry per date of the present UTC day, without the project's name."""
    today = int(call.now.timestamp()) // DAY_SECONDS
    every = call.organization.source.dates.values()
    dates = [date for date in every if second(date.get("starts_at")) // DAY_SECONDS == today]
    return page(call, dates, lambda date: {**date_row(date, call), "project_id": str(date["project_id"])})


def show_date(call: Call) -> Reply:
    source = call.organization.source
    date = source.dates.get(call.number("id"))
    if date is None:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    project = source.projects[date["project_id"]]
    rows = [participant_row(user_id, row, call) for user_id, row in source.attendance.on_date(date["id"])]
    extra = {"project_id": str(project["id"]), "project_name": project.get("name"), "participants": rows}
    return single({**date_row(date, call), **extra})


def dates_of(source: Source, project_id: int) -> list[Row]:
    return [date for date in source.dates.values() if date["project_id"] == project_id]


def project_row(row: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    dates = dates_of(call.organization.source, row["id"])
    coming = [date for date in dates if second(date.get("starts_at")) > call.now.timestamp()]
    following = min(coming, key=lambda date: (second(date["starts_at"]), int(date["id"])), default=None)
    shown = {
        **row,
        "type": "project",
        "id": spelling.id(row["id"]),
        "project_name": row.get("name"),
        "organization_slug": call.organization.name,
        "next_date": date_row(following, call) if following else None,
        "created_at": spelling.stamp(row.get("created_at"), row["id"]),
        "updated_at": spelling.stamp(row.get("updated_at"), row["id"]),
    }
    return visible(row, shown)


def date_row(date: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    stamps = {name: spelling.stamp(date.get(name), date["id"]) for name in ("starts_at", "ends_at")}
    extra = {name: value for name, value in date.items() if name != "project_id"}
    return visible(date, {"type": "project_date", **extra, "id": spelling.id(date["id"]), **stamps})


def participant_row(user_id: int, row: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    user = call.organization.source.directory.get(user_id)
    known = {name: user.values.get(name) for name in ("first_name", "last_name", "email")} if user else {}
    return {"user_id": spelling.id(user_id), **known, **participation_row(user_id, row, spelling)}


def _flag_tests(query: Mapping[str, str]) -> list[Test]:
    """Tests for the filters that are true or false; published means no draft."""
    tests: list[Test] = [_flag_test(query, name) for name in ("active", "anytime") if name in query]
    if "published" in query:
        published = _wanted(query, "published")
        tests.append(lambda row: (not row.get("draft")) == published)
    return tests


def _flag_test(query: Mapping[str, str], name: str) -> Test:
    wanted = _wanted(query, name)
    return lambda row: bool(row.get(name)) == wanted


def _wanted(query: Mapping[str, str], name: str) -> bool:
    return query[name].lower() in TRUTHS


def _name(row: Row) -> str:
    return str(row.get("name") or "")
