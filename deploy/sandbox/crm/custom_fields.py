"""Custom fields: what an organization has defined, which values fit, and what becomes of a name nobody knows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from deploy.sandbox.crm.destination import Destination, Fields
from deploy.sandbox.exchange import Call, Details, Handler, Reply

TRUTHS = ("true", "false")


def listing_of(resource: str) -> Handler:
    """The handler that lists what is defined for a resource."""

    def list_definitions(call: Call) -> Reply:
        return Reply(payload=call.organization.destination.custom_fields[resource])

    return list_definitions


def invalid_custom_fields(destination: Destination, resource: str, given: object, prefix: str = "") -> Details:
    """Values that do not fit their field. A name that is not defined is no error, and an empty value clears."""
    known = _known(destination, resource)
    return [
        {"field": f"{prefix}customFields.{name}", "code": "INVALID", "message": _message(known[name])}
        for name, value in values_of(given).items()
        if name in known and value not in ("", None) and not FITS[known[name]["dataType"]](known[name], value)
    ]


def unknown_custom_fields(destination: Destination, resource: str, given: object) -> list[str]:
    """One warning for each name that is not defined, and was therefore ignored."""
    known = _known(destination, resource)
    names = [name for name in values_of(given) if name not in known]
    return [f"{resource} has no custom field {name!r}; its value was ignored." for name in names]


def warned(payload: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    return {**payload, "warnings": warnings} if warnings else payload


def merge_custom_fields(destination: Destination, resource: str, fields: Fields, given: object) -> None:
    """Sets the given values of defined fields, keeps the others; an empty value clears one."""
    known = _known(destination, resource)
    merged = {row["name"]: row["value"] for row in fields.get("customFields", ())}
    merged.update(values_of(given))
    fields["customFields"] = [
        {"name": name, "value": value, "displayName": known[name]["displayName"]}
        for name, value in merged.items()
        if name in known and value not in ("", None)
    ]


def values_of(given: object) -> dict[str, Any]:
    """Name to value from either of the two shapes: an object, or an array of name and value."""
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    rows = given if isinstance(given, list) else []
    return {str(row["name"]): row.get("value") for row in rows if isinstance(row, dict) and "name" in row}


def _known(destination: Destination, resource: str) -> dict[str, Fields]:
    return {row["name"]: row for row in destination.custom_fields[resource]}


def _message(definition: Fields) -> str:
    if definition["dataType"] == "Dropdown":
        return f"The value must be one of {', '.join(definition['options'])}."
    return f"The value must be a {definition['dataType'].lower()}."


def _is_number(_definition: Fields, value: object) -> bool:
    """Digits, as text or as a number."""
    text = str(value).removeprefix("-")
    return not isinstance(value, bool) and text.replace(".", "", 1).isdecimal()


def _is_date(_definition: Fields, value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_truth(_definition: Fields, value: object) -> bool:
    return isinstance(value, bool) or value in TRUTHS


def _is_option(definition: Fields, value: object) -> bool:
    """Exactly as it is spelled, upper and lower case included."""
    return value in definition["options"]


FITS: Mapping[str, Callable[[Fields, object], bool]] = {
    "Text": lambda _definition, value: isinstance(value, str | int | float),
    "Number": _is_number,
    "Date": _is_date,
    "Boolean": _is_truth,
    "Dropdown": _is_option,
}
