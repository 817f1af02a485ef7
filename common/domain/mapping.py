"""A customer's mapping: which resources are kept in step, and what becomes of their fields at the destination.

    {"users": {"fields": [{"from": "extra.shirt", "to": "custom:Shirt Size", "transform": "upper", "required": true}]},
     "form_completions": {"fields": [{"from": "answers.77", "to": "custom:Shirt Size",
                                      "transform": {"map": {"s": "Small", "m": "Medium"}}}]},
     "groups": {"off": true}}

`from` is a field of the canonical record, a part of one (`extra.shirt`), or the answer to a form's field
(`answers.77`); `to` is a field of the record or `custom:` and the name of the destination's custom field. Without a
mapping a record goes as it is. What is mapped to a field replaces it; to a custom field, a blank is left out, for a
blank never erases.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, TypeVar

from common.domain.canonical import Canonical
from common.domain.catalogue import RECORDS
from common.domain.entities import EntityKey
from common.domain.errors import CustomerInvalid, RecordInvalid
from common.domain.texts import text_of
from common.domain.transforms import TRANSFORMS, Transform, in_turn, replaced_by

#: Stands before the name of a custom field.
CUSTOM = "custom:"
RULE_KEYS = ("from", "to", "transform", "required")
RESOURCE_KEYS = ("off", "fields")

RecordT = TypeVar("RecordT", bound=Canonical)


@dataclass(frozen=True, kw_only=True)
class FieldRule:
    """One field's way."""

    source: str
    target: str
    transform: Transform
    #: As it was written, for people.
    transform_text: str = ""
    required: bool = False

    @property
    def custom_field(self) -> str | None:
        """The destination's name of it, if it is a custom field."""
        return self.target.removeprefix(CUSTOM) if self.target.startswith(CUSTOM) else None


@dataclass(frozen=True, kw_only=True)
class ResourceMapping:
    """What is said of one resource."""

    is_off: bool = False
    rules: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FieldMapping:
    """What is said of all resources."""

    resources: Mapping[str, ResourceMapping] = field(default_factory=dict)

    def of(self, resource: str) -> ResourceMapping:
        return self.resources.get(resource, ResourceMapping())

    def custom_fields(self, resource: str) -> Sequence[str]:
        return [name for rule in self.of(resource).rules if (name := rule.custom_field) is not None]


def read_mapping(customer_id: str, value: Mapping[str, Any]) -> FieldMapping:
    """Raises CustomerInvalid, naming the first path that is wrong."""
    read = _Reader(customer_id)
    return FieldMapping(resources={name: read.resource(name, said) for name, said in value.items()})


class _Reader:
    """Every complaint names customer, path and mend."""

    def __init__(self, customer_id: str) -> None:
        self._customer_id = customer_id

    def _wrong(self, path: str, mend: str) -> CustomerInvalid:
        return CustomerInvalid(self._customer_id, f"mapping.{path}", mend)

    def _object(self, path: str, said: Any, keys: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(said, Mapping):
            raise self._wrong(path, f"is no object; it has the keys {', '.join(keys)}")
        for key in said:
            if key not in keys:
                raise self._wrong(f"{path}.{key}", f"is not known; there is: {', '.join(keys)}")
        return said

    def _flag(self, path: str, said: Any) -> bool:
        if not isinstance(said, bool):
            raise self._wrong(path, "is neither true nor false")
        return said

    def resource(self, name: str, said: Any) -> ResourceMapping:
        if name not in RECORDS:
            close = difflib.get_close_matches(name, RECORDS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there is: {', '.join(RECORDS)}"
            raise self._wrong(name, f"is no resource; {hint}")
        given = self._object(name, said, RESOURCE_KEYS)
        rules = given.get("fields", [])
        if not isinstance(rules, list):
            raise self._wrong(f"{name}.fields", "is no list of rules")
        read = tuple(self.rule(name, f"{name}.fields.{number}", rule) for number, rule in enumerate(rules))
        self._refuse_doubled(name, [rule.target for rule in read])
        return ResourceMapping(is_off=self._flag(f"{name}.off", given.get("off", False)), rules=read)

    def _refuse_doubled(self, name: str, targets: Sequence[str]) -> None:
        """One of two values would be lost without a word."""
        for number, target in enumerate(targets):
            if target in targets[:number]:
                raise self._wrong(f"{name}.fields.{number}.to", f"{target!r} is filled by another rule already")

    def rule(self, resource: str, path: str, said: Any) -> FieldRule:
        given = self._object(path, said, RULE_KEYS)
        for key in ("from", "to"):
            if not isinstance(given.get(key), str) or not given[key].strip():
                raise self._wrong(f"{path}.{key}", "is missing")
        transform, text = self.transform(f"{path}.transform", given.get("transform", []))
        return FieldRule(
            source=self._source(resource, f"{path}.from", given["from"]),
            target=self._target(resource, f"{path}.to", given["to"]),
            transform=transform,
            transform_text=text,
            required=self._flag(f"{path}.required", given.get("required", False)),
        )

    def _source(self, resource: str, path: str, said: str) -> str:
        known = [f.name for f in fields(RECORDS[resource]) if f.name != "custom_fields"]
        head, _, rest = said.partition(".")
        if head not in known:
            raise self._wrong(path, f"{head!r} is no field of {resource}; there is: {', '.join(known)}")
        if (head in ("extra", "answers")) is not bool(rest):
            mend = f"name the part: {head}.<name>" if not rest else f"{head} has no parts"
            raise self._wrong(path, mend)
        return said

    def _target(self, resource: str, path: str, said: str) -> str:
        names = {f.name for f in fields(RECORDS[resource])}
        texts = {f.name for f in fields(RECORDS[resource]) if f.type == "str"}
        if said.startswith(CUSTOM):
            if "custom_fields" not in names or not said.removeprefix(CUSTOM).strip():
                raise self._wrong(path, f"{resource} has no custom fields, or the name is missing")
            return said
        if said not in texts:
            known = ", ".join(sorted(texts))
            raise self._wrong(path, f"{said!r} is no text field of {resource}; there is: {known}, or {CUSTOM}<name>")
        return said

    def transform(self, path: str, said: Any) -> tuple[Transform, str]:
        """A name, `{"map": {...}}`, or a list of these."""
        steps = said if isinstance(said, list) else [said]
        return in_turn(tuple(self._step(path, step) for step in steps)), ", ".join(map(_text, steps))

    def _step(self, path: str, said: Any) -> Transform:
        if isinstance(said, Mapping):
            table = self._object(path, said, ("map",)).get("map")
            if not isinstance(table, Mapping) or not all(isinstance(value, str) for value in table.values()):
                raise self._wrong(f"{path}.map", "is no object of texts")
            return replaced_by(table)
        if not isinstance(said, str) or said not in TRANSFORMS:
            raise self._wrong(path, f"{said!r} is not known; there is: {', '.join(TRANSFORMS)}, or {{'map': ...}}")
        return TRANSFORMS[said]


def _text(step: Any) -> str:
    return step if isinstance(step, str) else "map " + ", ".join(f"{a} to {b}" for a, b in step.get("map", {}).items())


def mapped(record: RecordT, rules: Sequence[FieldRule], entity: EntityKey) -> RecordT:
    """The record with its rules applied. Raises RecordInvalid, naming the field and the mend."""
    if not rules:
        return record
    body = record.to_body()
    values = dict(_values(body, rules, entity))
    custom = {rule.custom_field: values[rule] for rule in rules if rule.custom_field and values[rule]}
    own: dict[str, Any] = {rule.target: values[rule] for rule in rules if rule.custom_field is None}
    if custom:
        own["custom_fields"] = {**body.get("custom_fields", {}), **custom}
    return replace(record, **own)


def _values(body: Mapping[str, Any], rules: Sequence[FieldRule], entity: EntityKey) -> Iterator[tuple[FieldRule, str]]:
    for rule in rules:
        try:
            text = text_of(_read(body, rule.source))
            made = _fitting(rule.target, rule.transform(text)) if text else text
        except ValueError as mend:
            raise _invalid(entity, rule, f"{mend}; correct it at the source, or the mapping") from None
        if rule.required and not made:
            raise _invalid(entity, rule, "is required by the mapping, and empty; fill it in at the source")
        yield rule, made


def _fitting(target: str, text: str) -> str:
    """As canonical records hold such a field: an address in lower case tells people apart. Raises ValueError."""
    if target == "email":
        return text.lower()
    if target == "birthday" and text and not _is_date(text):
        raise ValueError("is to be a birthday, which is a date such as 2025-11-05: use the transform date_iso")
    return text


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _invalid(entity: EntityKey, rule: FieldRule, mend: str) -> RecordInvalid:
    return RecordInvalid(entity.customer_id, entity.resource, rule.source, mend)


def _read(body: Mapping[str, Any], source: str) -> Any:
    head, _, part = source.partition(".")
    value = body.get(head)
    if part and head == "answers":
        value = next((row.get("value") for row in value or () if row.get("field_id") == part), None)
    elif part:
        value = (value or {}).get(part)
    return value
