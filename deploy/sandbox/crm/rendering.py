"""Contacts as the API shows them: every documented field, some undocumented, and timestamps without a zone."""

from datetime import datetime
from typing import Any

from deploy.sandbox.crm.destination import Contact, Fields, Individual

#: What a contact answers for properties nobody set.
CONTACT_DEFAULTS: Fields = {
    "isCurrentUserFollowing": False,
    "contactType": "Household",
    "isPrivate": False,
    "name": None,
    "informalName": None,
    "description": None,
    "website": None,
    "maritalStatus": None,
    "anniversaryMonth": None,
    "anniversaryDay": None,
    "anniversaryYear": None,
    "mergedIntoContactId": None,
    "giftAskAmount": None,
    "giftAskType": None,
    "lifeToDateGiving": "$0",
    "yearToDateGiving": "$0",
    "lastGiftAmount": "$0",
    "lastGiftDate": "Unavailable",
    "originSegmentId": None,
    "originSegment": None,
    "organizationGroups": [],
    "customFields": [],
    "customCollections": [],
    "createdByUser": "Sandbox",
    "modifiedByUser": "Sandbox",
    "engagementScoreBeta": 3,
}
INDIVIDUAL_DEFAULTS: Fields = {
    "prefix": None,
    "firstName": None,
    "middleName": None,
    "lastName": None,
    "suffix": None,
    "gender": None,
    "isPrimary": False,
    "isSecondary": False,
    "birthMonth": None,
    "birthDay": None,
    "birthYear": None,
    "birthDate": None,
    "approximateAge": None,
    "isDeceased": False,
    "passion": None,
    "avatarUrl": None,
    "customFields": [],
    "customCollections": [],
}


def full_contact(contact: Contact) -> dict[str, Any]:
    return {
        **CONTACT_DEFAULTS,
        **contact.fields,
        "id": contact.id,
        "name": display_name(contact),
        "isArchived": contact.archived,
        "address": primary_address(contact),
        "contactIndividuals": [full_individual(individual) for individual in contact.individuals],
        "contactReferences": [{"source": source, "id": key} for source, key in contact.references],
        "contactNotesUrl": f"/api/ContactNote/ByContact/{contact.id}",
        "tags": [row["tagName"] for row in contact.tags],
        "createDateTimeUtc": stamp(contact.created, contact.id),
        "modifiedDateTimeUtc": stamp(contact.modified, contact.id + 1),
    }


def full_individual(individual: Individual) -> dict[str, Any]:
    ids = {"id": individual.id, "contactId": individual.contact_id}
    return {**INDIVIDUAL_DEFAULTS, **individual.fields, **ids, "contactMethods": individual.methods}


def brief_contact(contact: Contact) -> dict[str, Any]:
    """The abbreviated row of a query."""
    person, address = contact.primary_individual(), primary_address(contact)
    return {
        "id": contact.id,
        "name": display_name(contact),
        "contactType": contact.fields.get("contactType"),
        "contactName": display_name(contact),
        "address": ", ".join(str(address[part]) for part in ("address1", "city", "state")) if address else None,
        "email": primary_value(person, "Email"),
        "phone": primary_value(person, "Phone"),
        "contactViewUrl": f"/contacts/{contact.id}",
    }


def display_name(contact: Contact) -> str | None:
    """The given name, or that of the first person."""
    if contact.fields.get("name"):
        return str(contact.fields["name"])
    person = contact.primary_individual()
    return f"{person.fields.get('firstName')} {person.fields.get('lastName')}" if person else None


def primary_address(contact: Contact) -> Fields | None:
    return next((address for address in contact.addresses if address["isPrimary"]), None)


def primary_value(individual: Individual | None, label: str) -> str | None:
    methods = individual.methods if individual else []
    return next((method["value"] for method in methods if method["isPrimary"] and label in method["type"]), None)


def stamp(instant: datetime, record_id: int) -> str:
    """A UTC time without zone, with two to seven fractional digits as the record has it."""
    fraction = f"{instant.microsecond:06d}0"[: 2 + record_id % 6]
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{fraction}"
