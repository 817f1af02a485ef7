"""Values of a contact's custom fields, as a contact shows and takes them: a list (facts: crm-api 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def lacks(contact: Row, values: Mapping[str, Any]) -> bool:
    """True if any of them is missing or different."""
    there = {str(row.get("name")): str(row.get("value")) for row in _rows(contact)}
    return any(there.get(name) != str(value) for name, value in values.items())


def whole(contact: Row, values: Mapping[str, Any]) -> dict[str, Any]:
    """The contact as read, with the values in their place; its modification time lets the API notice others."""
    others = [row for row in _rows(contact) if row.get("name") not in values]
    ours = [{"name": name, "value": str(value), "displayName": name} for name, value in values.items()]
    return {**contact, "customFields": [*others, *ours]}


def _rows(contact: Row) -> list[Mapping[str, Any]]:
    return [row for row in contact.get("customFields") or [] if isinstance(row, Mapping)]
