"""Forms and their completions; facts: volunteer-api 1.7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from common.domain.errors import RecordInvalid
from common.domain.forms import Form, FormCompletion
from common.domain.records import Record
from common.domain.resources import FORM_COMPLETIONS, FORMS
from poller.sources.volunteer.translate.fields import NULL, Fields

#: What the labels may be called; the specification shows no form with its fields.
LABELS = ("label", "name")


def form(item: Any, customer_id: str, *, answered_at: datetime) -> Record:
    fields = Fields.of(item, customer_id, FORMS)
    found = Form(name=fields.required("name"), description=fields.text("description"), labels=_labels(fields))
    return Record(
        resource=FORMS,
        source_id=fields.identifier("id"),
        updated_at=fields.moment_if_any("updated_at") or answered_at,
        body=found.to_body(),
        raw=item,
    )


def form_completion(
    item: Any, customer_id: str, *, form_id: str, parent: Mapping[str, Any], answered_at: datetime
) -> Record:
    """`parent`: the form's canonical body; without it, name and labels stay empty."""
    fields = Fields.of(item, customer_id, FORM_COMPLETIONS)
    created_at, updated_at = fields.moment_if_any("created_at"), fields.moment_if_any("updated_at")
    labels = parent.get("labels") or {}
    found = FormCompletion(
        form_id=fields.reference("form_id") or form_id,
        form_name=str(parent.get("name", "")),
        user_id=fields.reference("user_id"),
        project_id=fields.reference("project_id"),
        completed_at=fields.time("created_at"),
        answers=list(_answers(fields, labels)),
    )
    return Record(
        resource=FORM_COMPLETIONS,
        source_id=fields.identifier("id"),
        updated_at=updated_at or created_at or answered_at,
        body=found.to_body(),
        raw=item,
    )


def _answers(fields: Fields, labels: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """An answer may be to several options, or a truth: all are text here."""
    for row in fields.objects("field_responses"):
        response = Fields(row, fields.customer_id, fields.resource)
        field_id = response.reference("field_id")
        yield {"field_id": field_id, "label": labels.get(field_id, ""), "value": _value(row.get("value"))}


def _labels(fields: Fields) -> Mapping[str, str]:
    """A field that cannot be read has no label; the form goes on without it."""
    found: dict[str, str] = {}
    for row in fields.objects("fields"):
        field = Fields(row, fields.customer_id, fields.resource)
        try:
            field_id, label = field.reference("id"), next(filter(None, map(field.text, LABELS)), "")
        except RecordInvalid:
            continue
        if field_id and label:
            found[field_id] = label
    return found


def _value(value: Any) -> str:
    if value is None or value == NULL:
        return ""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_value, value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_value(each)}" for name, each in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
