"""`/forms` and their completions, each of which embeds its answers."""

from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.community import stamped
from deploy.sandbox.volunteer.filters import span_tests
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.spelling import Spelling, visible


def list_forms(call: Call) -> Reply:
    tests = span_tests(call.query, "created", lambda row: row.get("created_at"))
    tests += span_tests(call.query, "updated", lambda row: row.get("updated_at"))
    rows = [row for row in call.organization.source.forms.values() if all(test(row) for test in tests)]
    return page(call, rows, lambda row: form_row(row, call))


def list_completions(call: Call) -> Reply:
    """Completions of one form; one may be changed long after it was made."""
    form_id = _form(call)
    tests = span_tests(call.query, "created", lambda row: row.get("created_at"))
    tests += span_tests(call.query, "updated", lambda row: row.get("updated_at"))
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


def form_row(row: Row, call: Call) -> dict[str, Any]:
    """A template; no document shows its fields in the list, so whether they are there is a setting."""
    spelling = Spelling(call.organization.settings)
    shown = {"type": "form", **stamped(row, call), "form_type": "CUSTOM"}
    fields = shown.pop("fields", None)
    if call.organization.settings.form_fields and isinstance(fields, list):
        shown["fields"] = [{**each, "id": spelling.id(each["id"])} for each in fields]
    return visible(row, shown)


def completion_row(row: Row, call: Call) -> dict[str, Any]:
    spelling = Spelling(call.organization.settings)
    shown = {name: value for name, value in stamped(row, call).items() if name != "answers"}
    ids = {name: spelling.id(row.get(name)) for name in ("form_id", "user_id", "project_id", "participation_id")}
    answers = row.get("answers")
    responses = [_response(row, each, spelling) for each in answers] if isinstance(answers, list) else answers
    return visible(row, {"type": "form_completion", **shown, **ids, "field_responses": responses})


def _response(row: Row, answer: Row, spelling: Spelling) -> dict[str, Any]:
    return {
        "type": "form_field_response",
        "id": spelling.id(answer["id"]),
        "form_completion_id": spelling.id(row["id"]),
        "user_id": spelling.id(row["user_id"]),
        "field_id": spelling.id(answer["field_id"]),
        "value": answer["value"],
    }


def _form(call: Call) -> int:
    form_id = call.number("id")
    if form_id not in call.organization.source.forms:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    return form_id
