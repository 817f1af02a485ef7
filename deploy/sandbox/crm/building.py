"""A new contact from the nested body of a creation, whoever asks for it: the API, or staff at work."""

from collections.abc import Iterator
from datetime import datetime

from deploy.sandbox.crm.changes import add_address, set_method, tag_by_name
from deploy.sandbox.crm.custom_fields import invalid_custom_fields, merge_custom_fields, unknown_custom_fields
from deploy.sandbox.crm.destination import Contact, Destination, Fields, Individual
from deploy.sandbox.crm.validation import NAMED_TYPES, filled, required, valid_email
from deploy.sandbox.exchange import Details

PROPERTIES = (
    "contactType", "name", "informalName", "description", "website", "maritalStatus", "anniversaryMonth",
    "anniversaryDay", "anniversaryYear", "originSegmentId", "isPrivate", "customCollections",
)  # fmt: skip
PERSONAL = (
    "prefix", "firstName", "middleName", "lastName", "suffix", "gender", "isPrimary", "isSecondary", "birthMonth",
    "birthDay", "birthYear", "birthDate", "isDeceased", "passion", "avatarUrl", "customCollections",
)  # fmt: skip


def build_contact(destination: Destination, body: Fields, now: datetime, *, lag_seconds: float) -> Contact:
    """Adds a contact with everything that the body nests."""
    fields = {name: body[name] for name in PROPERTIES if name in body}
    contact = destination.new_contact(fields, now, lag_seconds=lag_seconds)
    for given in body.get("contactIndividuals") or ():
        add_individual(destination, contact, given)
    for address in body.get("contactAddresses") or ():
        _add_nested_address(destination, contact, address)
    merge_custom_fields(destination, "Contact", contact.fields, body.get("customFields"))
    contact.archived = bool(body.get("isArchived"))
    tags = body.get("tags") or ""
    tag_by_name(destination, contact, tags if isinstance(tags, str) else ",".join(map(str, tags)))
    return contact


def add_individual(destination: Destination, contact: Contact, body: Fields) -> Individual:
    """Adds a person with the methods in the body."""
    individual = destination.new_individual(contact, {name: body[name] for name in PERSONAL if name in body})
    merge_custom_fields(destination, "ContactIndividual", individual.fields, body.get("customFields"))
    for method in body.get("contactMethods") or ():
        set_method(
            destination,
            individual,
            label=str(method["type"]),
            value=str(method["value"]),
            primary=bool(method.get("isPrimary") or method.get("setAsPrimary")),
            opted_in=bool(method.get("isOptedIn", True)),
        )
    return individual


def invalid_nested(destination: Destination, body: Fields) -> Details:
    details = [] if filled(body.get("contactType")) else [required("contactType")]
    details += invalid_custom_fields(destination, "Contact", body.get("customFields"))
    individuals = body.get("contactIndividuals")
    if body.get("contactType") in NAMED_TYPES:
        details += [] if filled(body.get("name")) else [required("name")]
    elif not isinstance(individuals, list) or not individuals:
        return [*details, required("contactIndividuals")]
    for position, individual in enumerate(individuals or ()):
        details += invalid_individual(destination, individual, prefix=f"contactIndividuals[{position}].")
    return details


def invalid_individual(destination: Destination, body: object, prefix: str) -> Details:
    if not isinstance(body, dict):
        return [required(prefix.rstrip("."))]
    details = [required(prefix + name) for name in ("firstName", "lastName") if not filled(body.get(name))]
    for position, method in enumerate(body.get("contactMethods") or ()):
        details += _invalid_method(method, f"{prefix}contactMethods[{position}].")
    return details + invalid_custom_fields(destination, "ContactIndividual", body.get("customFields"), prefix)


def nested_warnings(destination: Destination, body: Fields) -> list[str]:
    return list(_nested_warnings(destination, body))


def _nested_warnings(destination: Destination, body: Fields) -> Iterator[str]:
    yield from unknown_custom_fields(destination, "Contact", body.get("customFields"))
    for individual in body.get("contactIndividuals") or ():
        yield from unknown_custom_fields(destination, "ContactIndividual", individual.get("customFields"))


def _add_nested_address(destination: Destination, contact: Contact, address: Fields) -> None:
    """State and country are spelled in two ways."""
    parts = {**address, "state": address.get("state") or address.get("stateCode")}
    parts["country"] = address.get("country") or address.get("countryCode")
    primary = bool(address.get("isPrimary") or address.get("setAsPrimary"))
    add_address(destination, contact, parts, primary=primary)


def _invalid_method(method: object, prefix: str) -> Details:
    if not isinstance(method, dict):
        return [required(prefix.rstrip("."))]
    details = [required(prefix + name) for name in ("type", "value") if not filled(method.get(name))]
    if not details and "email" in method["type"].lower() and not valid_email(method["value"]):
        details.append({"field": f"{prefix}value", "code": "INVALID", "message": "The e-mail address is not valid."})
    return details
