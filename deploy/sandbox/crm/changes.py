"""The changes that several endpoints and the import share."""

from collections.abc import Mapping
from typing import Any

from deploy.sandbox.crm.destination import Contact, Destination, Fields, Individual, kind

ADDRESS_PARTS = ("address1", "address2", "city", "state", "postal", "country")
DEFAULT_TYPES = {"email": "Home Email", "phone": "Home Phone"}


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


def add_tag(destination: Destination, contact: Contact, tag_id: int) -> Fields:
    """Ties a tag to a contact; doing it twice ties it twice."""
    row_id = next(destination.row_ids)
    row = {"id": row_id, "contactId": contact.id, "tagId": tag_id, "tagName": destination.tags[tag_id]}
    destination.contact_tags[row_id] = row
    contact.tags.append(row)
    return row


def tag_by_name(destination: Destination, contact: Contact, names: str) -> list[Fields]:
    """Ties the tags of a comma-separated text that exist and are not tied yet, and gives what ties them."""
    known = {name.lower(): tag_id for tag_id, name in destination.tags.items()}
    tied = {row["tagId"] for row in contact.tags}
    wanted = dict.fromkeys(known.get(name.strip().lower()) for name in names.split(","))
    return [add_tag(destination, contact, each) for each in wanted if each is not None and each not in tied]
