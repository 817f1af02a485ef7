"""A contact as the API shows it, and what in it differs from the person it should be.

A blank never erases: what the source lacks is left as the destination has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.domain.people import Person
from processor.destinations.crm_plus.contact_values import lacks, whole
from processor.destinations.crm_plus.payloads import (
    ADDRESS_LABEL,
    EMAIL_TYPE,
    PHONE_TYPE,
    address_fields,
    individual_fields,
)

#: Adds a person to a contact; whoever sends it must look again, for the person's e-mail and phone are still to come.
ADD_INDIVIDUAL = "/api/ContactIndividual"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One request that brings a contact nearer to its person. `route` is a template with `names`."""

    method: str
    route: str
    names: Mapping[str, str]
    body: Mapping[str, Any]


def contact_id(contact: Mapping[str, Any]) -> str:
    return str(contact["id"])


def references(contact: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (source, id) pairs a contact carries."""
    rows = contact.get("contactReferences") or []
    return [(str(row.get("source", "")), str(row.get("id", ""))) for row in rows if isinstance(row, Mapping)]


def people_of(contact: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in contact.get("contactIndividuals") or [] if isinstance(row, Mapping)]


def our_individual(
    contact: Mapping[str, Any], individual_id: str | None = None, person: Person | None = None
) -> Mapping[str, Any] | None:
    """The linked one; else who has the person's e-mail address; else who has the name; else the only one there is.

    A household has several people, and none of the others is ours to change.
    """
    people = people_of(contact)
    linked = [row for row in people if individual_id and str(row.get("id")) == individual_id]
    if person is None:
        primary = [row for row in people if is_true(row.get("isPrimary"))]
        return next(iter(linked + primary + people), None)
    alike = [row for row in people if has_email(row, person.email)] + [row for row in people if _is_named(row, person)]
    # Whom we linked and who is gone is not the one who is left, nor is whom we never found.
    only = people if len(people) == 1 and individual_id is None else []
    return next(iter(linked + alike + only), None)


def has_email(individual: Mapping[str, Any], email: str) -> bool:
    methods = individual.get("contactMethods") or []
    return bool(email) and any(
        "email" in str(m.get("type", "")).lower() and is_same(m.get("value"), email) for m in methods
    )


def _is_named(individual: Mapping[str, Any], person: Person) -> bool:
    names = (individual.get("firstName"), person.first_name), (individual.get("lastName"), person.last_name)
    return all(str(there or "").strip().lower() == wanted.strip().lower() for there, wanted in names)


def changes(person: Person, contact: Mapping[str, Any], individual_id: str | None = None) -> list[Change]:
    """What is left to do; empty if the contact is as it should be. After a person was added there may be more."""
    individual = our_individual(contact, individual_id, person)
    if individual is None:
        body = {"contactId": contact["id"], **individual_fields(person), "isPrimary": not people_of(contact)}
        return [Change(method="POST", route=ADD_INDIVIDUAL, names={}, body=body)]
    return [
        *_of_custom_fields(person, contact),
        *_of_individual(person, individual),
        *_of_method(individual, "email", EMAIL_TYPE, person.email),
        *_of_method(individual, "phone", PHONE_TYPE, person.phone),
        *_of_address(person, contact),
    ]


def _of_custom_fields(person: Person, contact: Mapping[str, Any]) -> list[Change]:
    if not person.custom_fields or not lacks(contact, person.custom_fields):
        return []
    return [_put("/api/Contact/{id}", contact, whole(contact, person.custom_fields))]


def _of_individual(person: Person, individual: Mapping[str, Any]) -> list[Change]:
    """GET, change, PUT the whole: the specification says that an omitted property is cleared."""
    desired = individual_fields(person)
    if all(is_same(individual.get(name), value) for name, value in desired.items()):
        return []
    whole = {name: value for name, value in individual.items() if name != "contactMethods"}
    return [_put("/api/ContactIndividual/{id}", individual, {**whole, **desired})]


def _of_method(individual: Mapping[str, Any], kind: str, label: str, value: str) -> list[Change]:
    if not value:
        return []
    methods = [row for row in individual.get("contactMethods") or [] if kind in str(row.get("type", "")).lower()]
    primary = next((row for row in methods if is_true(row.get("isPrimary"))), None)
    if primary is not None and is_same(primary.get("value"), value):
        return []
    # An address that is there already, but not first, is made first; else the first one is changed.
    existing = next((row for row in methods if is_same(row.get("value"), value)), primary)
    if existing is not None:
        return [_put("/api/ContactMethod/{id}", existing, {**existing, "value": value, "setAsPrimary": True})]
    body = {"contactIndividualId": individual["id"], "type": label, "value": value, "setAsPrimary": True}
    return [Change(method="POST", route="/api/ContactMethod", names={}, body=body)]


def _of_address(person: Person, contact: Mapping[str, Any]) -> list[Change]:
    desired = address_fields(person)
    current = contact.get("address")
    if not desired:
        return []
    if not isinstance(current, Mapping):
        body = {"contactId": contact["id"], "label": ADDRESS_LABEL, **desired, "setAsPrimary": True}
        return [Change(method="POST", route="/api/ContactAddress", names={}, body=body)]
    if all(is_same(current.get(name), value) for name, value in desired.items()):
        return []
    return [_put("/api/ContactAddress/{id}", current, {**current, **desired})]


def _put(route: str, row: Mapping[str, Any], body: Mapping[str, Any]) -> Change:
    return Change(method="PUT", route=route, names={"id": str(row["id"])}, body=body)


def is_same(there: Any, wanted: Any) -> bool:
    """The API gives numbers as text and null for blank; e-mail addresses differ only in letter case."""
    left, right = str("" if there is None else there).strip(), str(wanted).strip()
    return left.lower() == right.lower() if "@" in right else left == right


def is_true(value: Any) -> bool:
    return value in (True, "true", "True", 1)


def has_type(contact: Mapping[str, Any], contact_type: str) -> bool:
    return str(contact.get("contactType") or "").strip().lower() == contact_type.strip().lower()


def is_archived(contact: Mapping[str, Any]) -> bool:
    """The API may say so in a text (facts: crm-api 1.2)."""
    return is_true(contact.get("isArchived"))


def ids(contact: Mapping[str, Any], person: Person | None = None, individual_id: str | None = None) -> dict[str, Any]:
    """What a link keeps besides the contact's id."""
    individual = our_individual(contact, individual_id, person)
    return {"individual_id": str(individual["id"])} if individual else {}


def rows(answer: Any) -> Sequence[Mapping[str, Any]]:
    """The rows of a query's answer."""
    found = answer.get("list") if isinstance(answer, Mapping) else None
    return [row for row in found or [] if isinstance(row, Mapping)]
