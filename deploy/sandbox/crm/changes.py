"""The changes that several endpoints and the import share, each noted in the journal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deploy.sandbox.crm.destination import Contact, Destination, Fields, Individual, kind
from deploy.sandbox.journal import Entry

#: The API's names of the fields that the journal notes, and the journal's own.
NOTED = {
    "firstName": "first_name",
    "lastName": "last_name",
    "name": "name",
    "contactType": "contact_type",
    "email": "email",
    "phone": "phone",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "state": "state",
    "postal": "postal",
    "country": "country",
    "gender": "gender",
    "birthDate": "birth_date",
    "birthMonth": "birth_month",
    "birthDay": "birth_day",
    "birthYear": "birth_year",
}
ADDRESS_PARTS = ("address1", "address2", "city", "state", "postal", "country")
DEFAULT_TYPES = {"email": "Home Email", "phone": "Home Phone"}


def note(entry: Entry, contact: Contact, action: str, given: Mapping[str, Any], now: datetime, **more: object) -> None:
    """Notes a write: which contact, under which reference, and the fields that it set."""
    entry.wrote(
        {
            "contact_id": contact.id,
            "reference": contact.references[0] if contact.references else None,
            "at": now.timestamp(),
            "action": action,
            "fields": {NOTED[name]: value for name, value in given.items() if name in NOTED},
            **{name: value for name, value in more.items() if value is not None},
        }
    )


def set_method(
    destination: Destination, individual: Individual, *, label: str, value: str, primary: bool, opted_in: bool = True
) -> Fields:
    """Adds a method; the first of its kind is primary anyway."""
    method: Fields = {
        "id": next(destination.row_ids),
        "contactIndividualId": individual.id,
        "type": label,
        "value": value,
        "isOptedIn": opted_in,
        "isPrimary": False,
        "canBePrimary": True,
    }
    destination.add_method(individual, method)
    first = not any(other["isPrimary"] for other in individual.methods if kind(other) == kind(method))
    if primary or first:
        make_primary(individual, method)
    return method


def make_primary(individual: Individual, method: Fields) -> None:
    """Makes a method the only primary one of its kind."""
    for other in individual.methods:
        if kind(other) == kind(method):
            other["isPrimary"] = other is method


def prefer_method(destination: Destination, individual: Individual, *, label: str, value: str) -> None:
    """Makes a value the primary one, keeping what was primary before."""
    for method in individual.methods:
        if kind(method) == kind({"type": label}) and method["value"].strip().lower() == value.strip().lower():
            make_primary(individual, method)
            return
    set_method(destination, individual, label=label, value=value, primary=True)


def add_address(destination: Destination, contact: Contact, given: Mapping[str, Any], *, primary: bool) -> Fields:
    address: Fields = {
        "id": next(destination.row_ids),
        "contactId": contact.id,
        "label": given.get("label") or "Home Address",
        **{part: given.get(part) for part in ADDRESS_PARTS},
        "isPrimary": False,
        "canBePrimary": True,
        **{part: given.get(part) for part in ("startMonth", "startDay", "endMonth", "endDay")},
    }
    contact.addresses.append(address)
    destination.addresses[address["id"]] = address
    if primary or len(contact.addresses) == 1:
        make_primary_address(contact, address)
    return address


def make_primary_address(contact: Contact, address: Fields) -> None:
    for other in contact.addresses:
        other["isPrimary"] = other is address


def prefer_address(destination: Destination, contact: Contact, given: Mapping[str, Any]) -> None:
    """Makes an address the primary one, adding it where it is new."""
    wanted = [given.get(part) for part in ADDRESS_PARTS]
    if not any(wanted):
        return
    for address in contact.addresses:
        if [address[part] for part in ADDRESS_PARTS] == wanted:
            make_primary_address(contact, address)
            return
    add_address(destination, contact, given, primary=True)


def custom_fields(given: object) -> list[Fields]:
    """Custom fields from either of the two shapes: an object, or an array of name and value."""
    if isinstance(given, Mapping):
        given = [{"name": name, "value": value} for name, value in given.items()]
    rows = given if isinstance(given, list) else []
    return [{"displayName": row["name"], **row} for row in rows if isinstance(row, dict) and "name" in row]


def merge_custom_fields(fields: Fields, given: object) -> None:
    """Sets the given custom fields, keeps the others; an empty value clears one."""
    merged = {row["name"]: row for row in fields.get("customFields", ())}
    merged.update({row["name"]: row for row in custom_fields(given)})
    fields["customFields"] = [row for row in merged.values() if row.get("value") not in ("", None)]


def add_tag(destination: Destination, contact: Contact, tag_id: int) -> Fields:
    """Ties a tag to a contact; doing it twice ties it twice."""
    row_id = next(destination.row_ids)
    row = {"id": row_id, "contactId": contact.id, "tagId": tag_id, "tagName": destination.tags[tag_id]}
    destination.contact_tags[row_id] = row
    contact.tags.append(row)
    return row


def tag_by_name(destination: Destination, contact: Contact, names: str) -> None:
    """Ties the tags of a comma-separated text that exist and are not tied yet."""
    known = {name.lower(): tag_id for tag_id, name in destination.tags.items()}
    tied = {row["tagId"] for row in contact.tags}
    for name in names.split(","):
        tag_id = known.get(name.strip().lower())
        if tag_id is not None and tag_id not in tied:
            add_tag(destination, contact, tag_id)
