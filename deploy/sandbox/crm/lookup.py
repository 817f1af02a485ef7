"""Finding a contact by reference or e-mail; right after a creation both may still miss it."""

from collections.abc import Iterable

from deploy.sandbox.crm.access import bad, contact_at, missing
from deploy.sandbox.crm.destination import Contact
from deploy.sandbox.crm.rendering import full_contact, full_individual
from deploy.sandbox.exchange import Call, Reply


def show_contact(call: Call) -> Reply:
    return Reply(payload=full_contact(contact_at(call)))


def show_by_reference(call: Call) -> Reply:
    """Not found while the contact is held."""
    return _found(call, _by_reference(call, call.parameters["referenceSource"], call.parameters["referenceId"]))


def find_contact(call: Call) -> Reply:
    """By reference or by e-mail; the reference wins where both are given."""
    source, key = call.query.get("referenceSource"), call.query.get("referenceId")
    if source and key:
        return _found(call, _by_reference(call, source, key))
    individuals = call.organization.destination.with_email(_email(call))
    contacts = call.organization.destination.contacts
    return _found(call, _first_visible(call, (contacts[individual.contact_id] for individual in individuals)))


def find_individual(call: Call) -> Reply:
    destination = call.organization.destination
    for individual in destination.with_email(_email(call)):
        contact = destination.contacts[individual.contact_id]
        if contact.visible_at <= call.now:
            call.entry.saw(contact.id)
            return Reply(payload=full_individual(individual))
    raise missing("individual")


def _by_reference(call: Call, source: str, key: str) -> Contact | None:
    call.entry.references = ((source, key),)
    destination = call.organization.destination
    ids = destination.references.get((source, key), ())
    return _first_visible(call, (destination.contacts[contact_id] for contact_id in ids))


def _first_visible(call: Call, contacts: Iterable[Contact]) -> Contact | None:
    return next((contact for contact in contacts if contact.visible_at <= call.now), None)


def _found(call: Call, contact: Contact | None) -> Reply:
    if contact is None:
        raise missing("contact")
    call.entry.saw(contact.id)
    return Reply(payload=full_contact(contact))


def _email(call: Call) -> str:
    email = call.query.get("email", "")
    if not email.strip():
        raise bad("email or a reference is required.", "email")
    return email
