"""What an import makes of a held contact: who it is, whether it brings anything new, and what becomes of it."""

from datetime import datetime

from deploy.sandbox.crm.changes import (
    ADDRESS_PARTS,
    DEFAULT_TYPES,
    prefer_address,
    prefer_method,
    tag_by_name,
)
from deploy.sandbox.crm.custom_fields import invalid_custom_fields, merge_custom_fields, values_of
from deploy.sandbox.crm.destination import Contact, Destination, Fields, Held, Individual, Reference
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.rendering import primary_address, primary_value
from deploy.sandbox.crm.tags import note_tags
from deploy.sandbox.crm.transaction_attendances import add_attendances, invalid_attendances, note_attendances
from deploy.sandbox.crm.validation import invalid_person
from deploy.sandbox.exchange import Details
from deploy.sandbox.journal import Entry
from deploy.sandbox.organization import Organization

SCALARS = ("contactType", "name", "informalName", "description", "website", "originSegmentCode")
PERSONAL = (
    "title", "firstName", "middleName", "lastName", "suffix", "gender", "birthDate", "birthMonth", "birthDay",
    "birthYear",
)  # fmt: skip


def invalid_flat(destination: Destination, item: Fields, prefix: str) -> Details:
    """What is wrong with a flat contact; fields are named with their place in the batch."""
    return [
        *invalid_person(item, prefix),
        *invalid_custom_fields(destination, "Contact", item.get("customFields"), prefix),
        *invalid_attendances(destination, item, prefix),
    ]


def import_contact(organization: Organization, held: Held, entry: Entry, now: datetime) -> None:
    destination, item = organization.destination, held.item
    reference = reference_of(held.source, item)
    contact, individual = match(destination, reference, item.get("email"))
    action = "merge" if contact else "create"
    contact = contact or destination.new_contact({}, now, lag_seconds=organization.settings.index_lag_seconds)
    if reference:
        destination.add_reference(contact, reference)
    individual = overwrite(destination, contact, individual, item)
    contact.modified = now
    more: Fields = {"submission": held.submission, "reference": reference}
    note(entry, contact, action, _given(item), now, created=action == "create", **more)
    tied = tag_by_name(destination, contact, str(item.get("tags") or ""))
    note_tags(entry, contact, tied, now, held.submission)
    note_attendances(entry, contact, add_attendances(destination, contact, individual, held), now)


def brings_changes(destination: Destination, held: Held) -> bool:
    """Whether the item knows an existing contact better than it is; a new reference alone is no change."""
    contact, individual = match(destination, reference_of(held.source, held.item), held.item.get("email"))
    if contact is None:
        return False
    return _differs(contact, individual, held.item)


def match(
    destination: Destination, reference: Reference | None, email: object
) -> tuple[Contact | None, Individual | None]:
    """By reference first, then by the e-mail address of a person whose contact is not archived."""
    if reference and (contact := destination.by_reference(reference)):
        return contact, contact.primary_individual()
    for individual in destination.with_email(str(email or "")):
        contact = destination.contacts[individual.contact_id]
        if not contact.archived:
            return contact, individual
    return None, None


def overwrite(
    destination: Destination, contact: Contact, individual: Individual | None, item: Fields
) -> Individual | None:
    """Sets what the item has and keeps the rest; gives the person it is about."""
    contact.fields.update({name: item[name] for name in SCALARS if item.get(name)})
    merge_custom_fields(destination, "Contact", contact.fields, item.get("customFields"))
    personal = {name: item[name] for name in PERSONAL if item.get(name)}
    if individual is None and personal:
        individual = destination.new_individual(contact, {})
    if individual:
        individual.fields.update(personal)
        for name, default in DEFAULT_TYPES.items():
            if value := item.get(name):
                label = str(item.get(f"{name}Type") or default)
                prefer_method(destination, individual, label=label, value=str(value))
    prefer_address(destination, contact, {part: item.get(part) for part in ADDRESS_PARTS})
    return individual


def reference_of(source: str | None, item: Fields) -> Reference | None:
    """An item may name a source of its own; else the batch's counts."""
    source = item.get("referenceSource") or source
    key = item.get("referenceId")
    return (str(source), str(key)) if source and key not in (None, "") else None


def _differs(contact: Contact, individual: Individual | None, item: Fields) -> bool:
    """Whether any value of the item is not what the contact shows first."""
    person = individual.fields if individual else {}
    shown = {
        **{name: contact.fields.get(name) for name in SCALARS},
        **{name: person.get(name) for name in PERSONAL},
        "email": primary_value(individual, "Email"),
        "phone": primary_value(individual, "Phone"),
        **(primary_address(contact) or {}),
    }
    compared = (*SCALARS, *PERSONAL, *DEFAULT_TYPES, *ADDRESS_PARTS)
    custom = {row["name"]: row["value"] for row in contact.fields.get("customFields", ())}
    wanted = values_of(item.get("customFields"))
    tied = {row["tagName"].lower() for row in contact.tags}
    tags = {name.strip().lower() for name in str(item.get("tags") or "").split(",") if name.strip()}
    return (
        any(item.get(name) and _folded(shown.get(name)) != _folded(item[name]) for name in compared)
        or any(custom.get(name) != value for name, value in wanted.items())
        or not tags <= tied
    )


def _folded(value: object) -> str:
    return str(value).strip().lower()


def _given(item: Fields) -> Fields:
    return {name: value for name, value in item.items() if value not in (None, "")}
