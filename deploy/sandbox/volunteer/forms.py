"""`/forms` and their completions, each of which embeds its answers."""

from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.community import stamped
from deploy.sandbox.volunteer.filters import span_tests
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.source import Row
from deploy.sandbox.volunteer.spelling import Spelling


def list_forms(call: Call) -> Reply:
    tests = span_tests(call.query, "updated", lambda row: row["updated_at"])
    rows = [row for row in call.organization.source.forms.values() if all(test(row) for test in tests)]
    return page(call, rows, lambda row: {"type": "form", **stamped(row, call), "form_type": "CUSTOM"})


def list_completions(call: Call) -> Reply:
    """Completions of one form; one is never changed, so both stamps are equal."""
    form_id = _form(call)
    tests = span_tests(call.query, "created", lambda row: row["created_at"])
    tests += span_tests(call.query, "updated", lambda row: row["created_at"])
    rows = [row for row in call.organization.source.completions.values() if row["form_id"] == form_id]
    if user_id := call.query.get("user_id"):
        rows = [row for row in rows if str(row["user_id"]) == user_id]
    return page(call, [row for row in rows if all(test(row) for test in tests)], lambda row: completion_row(row, call))


def show_completion(call: Call) -> Reply:
    form_id = _form(call)
    row = call.organization.source.completions.get(call.number("completion"))
    if row is None or row["form_id"] != form_id:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    return single(completion_row(row, call))


def completion_row(row: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    stamp = spelling.stamp(row["created_at"], row["id"])
    answer = {
        "type": "form_field_response",
        "id": spelling.id(row["id"] + 5000),
        "form_completion_id": spelling.id(row["id"]),
        "user_id": spelling.id(row["user_id"]),
        "field_id": spelling.id(77),
        "value": row["value"],
    }
    return {
        "type": "form_completion",
        "id": spelling.id(row["id"]),
        "form_id": spelling.id(row["form_id"]),
        "user_id": spelling.id(row["user_id"]),
        "project_id": None,
        "participation_id": None,
        "field_responses": [answer],
        "created_at": stamp,
        "updated_at": stamp,
    }


def _form(call: Call) -> int:
    form_id = call.number("id")
    if form_id not in call.organization.source.forms:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    return form_id
