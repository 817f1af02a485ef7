"""Bodies from a person. Field names: facts/crm-api, section 1.4."""

from __future__ import annotations

import re
from typing import Any

from common.domain.people import Person

#: "12 Main St, Plano, TX 75074, USA": street, city, state and postal code, and perhaps a country.
US_ADDRESS = re.compile(
    r"(?P<address1>.+?),\s*(?P<city>[^,]+),\s*(?P<state>[A-Za-z]{2})\s+(?P<postal>\d{5}(?:-\d{4})?)(?:,\s*(?P<country>[^,]+))?"
)
ADDRESS_FIELDS = ("address1", "city", "state", "postal", "country")
#: VOMO's codes; one that is not here goes as it is.
GENDERS = {"M": "Male", "F": "Female", "N": "Other", "": ""}
EMAIL_TYPE, PHONE_TYPE, ADDRESS_LABEL = "Home Email", "Mobile Phone", "Home"


def flat_contact(person: Person, reference_id: str, contact_type: str) -> dict[str, Any]:
    """One item of a Contact/Batch. What the person lacks is left out: an import reads a blank as a value."""
    body = {
        "referenceId": reference_id,
        "contactType": contact_type,
        **individual_fields(person),
        "emailType": EMAIL_TYPE if person.email else "",
        "email": person.email,
        "phoneType": PHONE_TYPE if person.phone else "",
        "phone": person.phone,
        **address_fields(person),
    }
    filled = {name: value for name, value in body.items() if value not in ("", None)}
    return {**filled, **custom_fields(person)}


def nested_contact(person: Person, source: str, reference_id: str, contact_type: str) -> dict[str, Any]:
    """The body of a direct create."""
    methods = [(EMAIL_TYPE, person.email), (PHONE_TYPE, person.phone)]
    individual = {
        **individual_fields(person),
        "isPrimary": True,
        "contactMethods": [{"type": kind, "value": value, "isPrimary": True} for kind, value in methods if value],
    }
    address = address_fields(person)
    return {
        "contactType": contact_type,
        "referenceSource": source,
        "referenceId": reference_id,
        "contactIndividuals": [individual],
        "contactAddresses": [{"label": ADDRESS_LABEL, **address, "isPrimary": True}] if address else [],
        **custom_fields(person),
    }


def custom_fields(person: Person) -> dict[str, Any]:
    """As creates and imports take them: an object of texts; on a PUT they are a list (facts: crm-api 1.6)."""
    values = {name: str(value) for name, value in person.custom_fields.items()}
    return {"customFields": values} if values else {}


def individual_fields(person: Person) -> dict[str, Any]:
    """What lies on the ContactIndividual itself; only what the person has."""
    born = person.birth_date
    fields: dict[str, Any] = {"firstName": person.first_name, "lastName": person.last_name}
    if person.gender:
        fields["gender"] = GENDERS.get(person.gender, person.gender)
    if born is not None:
        fields |= {"birthMonth": born.month, "birthDay": born.day, "birthYear": born.year}
    return fields


def address_fields(person: Person) -> dict[str, Any]:
    """The line in parts where it has the usual form, else whole as `address1`; empty if there is none.

    A country that the line does not name is left as the destination has it.
    """
    if not person.address:
        return {}
    match = US_ADDRESS.fullmatch(person.address)
    if match is None:
        return {"address1": person.address, "city": "", "state": "", "postal": "", "country": ""}
    return {name: match[name].strip() for name in ADDRESS_FIELDS if match[name]}
