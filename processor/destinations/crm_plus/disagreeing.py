"""What a contact holds in the fields in which it is not as its person says. The names are those of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from common.domain.writes import Write
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.contact import ADD_INDIVIDUAL, Change
from processor.destinations.crm_plus.payloads import address_fields, individual_fields
from processor.destinations.crm_plus.updates import changes_of, individual_of, is_alone, person_of

Row = Mapping[str, Any]


def in_contact(write: Write, contact: Row) -> Mapping[str, Any]:
    """Stricter than `differs` in one thing: a person's contact that staff have archived, or merged into another, is not
    as it should be, although nobody would write to it.
    """
    if write.is_removal:
        is_shown = not contacts.is_archived(contact) and is_alone(write, contact)
        return {"isArchived": False} if is_shown else {}
    found: dict[str, Any] = {"isArchived": True} if contacts.is_archived(contact) else {}
    if contact.get("mergedIntoContactId"):
        found["mergedIntoContactId"] = str(contact["mergedIntoContactId"])
    for change in changes_of(write, contact):
        found.update(_held(change, write, contact))
    return found


def _held(change: Change, write: Write, contact: Row) -> Iterator[tuple[str, Any]]:
    """Of a change: only what the person says, for its body is the whole record."""
    person = person_of(write)
    if change.route == ADD_INDIVIDUAL:
        yield "contactIndividual", None
    elif "ContactMethod" in change.route:
        yield _method_of(change, write, contact)
    elif "ContactAddress" in change.route:
        yield from _unlike(address_fields(person), contact.get("address"))
    elif "ContactIndividual" in change.route:
        yield from _unlike(individual_fields(person), contacts.our_individual(contact, individual_of(write), person))
    else:
        yield from _custom(write, contact)


def _unlike(wanted: Row, there: Any) -> Iterator[tuple[str, Any]]:
    known: Row = there if isinstance(there, Mapping) else {}
    for name, value in wanted.items():
        if not isinstance(there, Mapping) or not contacts.is_same(known.get(name), value):
            yield name, known.get(name)


def _method_of(change: Change, write: Write, contact: Row) -> tuple[str, Any]:
    """What is there as the first of its kind."""
    kind = "email" if "email" in str(change.body.get("type", "")).lower() else "phone"
    individual = contacts.our_individual(contact, individual_of(write), person_of(write)) or {}
    rows = [row for row in individual.get("contactMethods") or [] if kind in str(row.get("type", "")).lower()]
    first = next((row for row in rows if contacts.is_true(row.get("isPrimary"))), None)
    return kind, first.get("value") if first else None


def _custom(write: Write, contact: Row) -> Iterator[tuple[str, Any]]:
    rows = [row for row in contact.get("customFields") or [] if isinstance(row, Mapping)]
    there = {str(row.get("name")): row.get("value") for row in rows}
    for name, value in person_of(write).custom_fields.items():
        if str(there.get(name)) != str(value):
            yield f"custom:{name}", there.get(name)
