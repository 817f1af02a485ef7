"""Addresses: a line on users, an object on projects, an array in the specification (facts: volunteer-api 1.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from poller.sources.volunteer.translate.fields import NULL, Fields

#: Of an object without a line of its own, in the order in which they are written.
PARTS = ("venue", "street_number", "route", "locality", "administrative_area_level_1", "postal_code", "country")


def address(fields: Fields, name: str = "address") -> str:
    """One line, whatever it was; empty if there is none. Raises RecordInvalid for a truth or a nested list."""
    return ", ".join(_lines(fields, name, fields.item.get(name)))


def time_zone(fields: Fields, name: str = "address") -> str:
    """IANA name; empty if the address does not tell."""
    for part in _parts(fields.item.get(name)):
        if isinstance(part, Mapping) and (found := _text(part.get("timezone"))):
            return found
    return ""


def _lines(fields: Fields, name: str, value: Any) -> Iterator[str]:
    for part in _parts(value):
        if isinstance(part, Mapping):
            yield from _of_object(part)
        elif part is None or (isinstance(part, str | int | float) and not isinstance(part, bool)):
            yield from filter(None, [_text(part)])
        else:
            raise fields.wrong(name, f"is a {type(part).__name__}, not an address; correct it at the source")


def _of_object(parts: Mapping[str, Any]) -> Iterator[str]:
    line = _text(parts.get("formatted_address"))
    if line:
        yield line
        return
    street = " ".join(filter(None, (_text(parts.get(name)) for name in ("street_number", "route"))))
    found = {name: _text(parts.get(name)) or _text(parts.get(f"{name}_short")) for name in PARTS}
    yield from filter(None, [found["venue"], street, *(found[name] for name in PARTS[3:])])


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return "" if text == NULL else text
