"""What a user's contact must look like: the customer's mapping, written down a second time.

Fields have the names of the sandbox's journal, so that a request, an import and a contact can be compared with a user.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

ADDRESS = ("address1", "city", "state", "postal", "country")
FIELDS = (
    "first_name", "last_name", "email", "phone", *ADDRESS, "gender", "birth_month", "birth_day", "birth_year",
)  # fmt: skip
#: Which field of the source each of them comes from.
SOURCE_FIELDS: Mapping[str, str] = {
    **{name: name for name in ("first_name", "last_name", "email", "phone", "gender")},
    **dict.fromkeys(ADDRESS, "address"),
    **dict.fromkeys(("birth_month", "birth_day", "birth_year"), "birthday"),
}
GENDERS: Mapping[str, str] = {"M": "Male", "F": "Female", "N": "Other"}
#: "12 Elm Rise, Plano, TX 75074, USA".
LINE = re.compile(r"([^,]+), ([^,]+), (\S+) ([^,]+), ([^,]+)")
#: A birthday, whatever follows it.
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
#: The property of an individual that holds each field.
INDIVIDUAL: Mapping[str, str] = {
    "first_name": "firstName",
    "last_name": "lastName",
    "gender": "gender",
    "birth_month": "birthMonth",
    "birth_day": "birthDay",
    "birth_year": "birthYear",
}


def canonical(field: str, value: object) -> str:
    text = "" if value is None else str(value).strip()
    return text.lower() if field == "email" else text


def expected_of(user: Mapping[str, Any]) -> dict[str, str]:
    """Every field, from a user or from what the history says of one."""
    raw = {
        **{name: user.get(name) for name in ("first_name", "last_name", "email", "phone")},
        **_address(user),
        **_birth(user.get("birthday")),
        "gender": GENDERS.get(str(user.get("gender")), user.get("gender")),
    }
    return {name: canonical(name, raw[name]) for name in FIELDS}


def shown_by(contact: Mapping[str, Any]) -> dict[str, str]:
    """Every field as the contact shows it: its primary person, methods and address."""
    person = _primary(contact.get("contactIndividuals")) or {}
    methods = person.get("contactMethods") or []
    address = contact.get("address") or {}
    raw = {
        **{name: person.get(key) for name, key in INDIVIDUAL.items()},
        "email": _primary_value(methods, "email"),
        "phone": _primary_value(methods, "phone"),
        **{name: address.get(name) for name in ADDRESS},
    }
    return {name: canonical(name, raw[name]) for name in FIELDS}


def written(fields: Mapping[str, Any]) -> dict[str, str]:
    """The mapped ones among the fields that a write set."""
    return {name: canonical(name, fields[name]) for name in FIELDS if name in fields}


def _address(user: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parts if the sandbox gives them or the line has the usual form, else the line whole."""
    if user.get("address_parts"):
        return {name: user["address_parts"].get(name) for name in ADDRESS}
    line = str(user.get("address") or "")
    match = LINE.fullmatch(line)
    return dict(zip(ADDRESS, match.groups() if match else (line, "", "", "", ""), strict=True))


def _birth(birthday: object) -> Mapping[str, Any]:
    """Blank where the source gives no date: it lets people store what is none."""
    match = DAY.match(str(birthday or ""))
    year, month, day = (str(int(piece)) for piece in match.groups()) if match else ("", "", "")
    return {"birth_year": year, "birth_month": month, "birth_day": day}


def _primary(rows: Sequence[Mapping[str, Any]] | None) -> Mapping[str, Any] | None:
    """The primary row, else the first."""
    ranked = sorted(rows or (), key=lambda row: not row.get("isPrimary"))
    return ranked[0] if ranked else None


def _primary_value(methods: list[Mapping[str, Any]], kind: str) -> object:
    of_kind = [row for row in methods if kind in str(row.get("type", "")).lower() and row.get("isPrimary")]
    return of_kind[0].get("value") if of_kind else None
