"""Direct writes on contacts: each takes effect at once, and a creation is repeated as often as it is sent."""

from deploy.sandbox.crm.access import bad, contact_at, contact_in
from deploy.sandbox.crm.building import PERSONAL, PROPERTIES, build_contact, invalid_nested, nested_warnings
from deploy.sandbox.crm.custom_fields import (
    invalid_custom_fields,
    merge_custom_fields,
    unknown_custom_fields,
    warned,
)
from deploy.sandbox.crm.destination import Contact, Fields
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.rendering import full_contact, primary_value, stamp
from deploy.sandbox.crm.tags import note_tags
from deploy.sandbox.crm.validation import filled, refuse_invalid, require_object
from deploy.sandbox.exchange import Call, Refusal, Reply

#: What a PUT clears when it is left out; the live service keeps most properties, not all.
CLEARED_WHEN_OMITTED = ("description", "website")


def create_contact(call: Call) -> Reply:
    """A new contact from a nested body, whatever exists already."""
    body, destination = require_object(call.body), call.organization.destination
    refuse_invalid(invalid_nested(destination, body), call.organization.settings)
    contact = build_contact(destination, body, call.now, lag_seconds=call.organization.settings.index_lag_seconds)
    if body.get("referenceSource") and body.get("referenceId"):
        reference = (str(body["referenceSource"]), str(body["referenceId"]))
        destination.add_reference(contact, reference)
        call.entry.references = (reference,)
    note(call.entry, contact, "create", _first_values(contact), call.now, created=True)
    note_tags(call.entry, contact, contact.tags, call.now)
    return Reply(payload=warned(full_contact(contact), nested_warnings(destination, body)))


def change_contact(call: Call) -> Reply:
    """Replaces some properties and keeps most others; a stale modification time is a conflict."""
    contact, body, destination = contact_at(call), require_object(call.body), call.organization.destination
    if not filled(body.get("contactType", contact.fields.get("contactType"))):
        raise bad("contactType is required.", "contactType")
    given = body.get("customFields")
    refuse_invalid(invalid_custom_fields(destination, "Contact", given), call.organization.settings)
    if body.get("modifiedDateTimeUtc") not in (None, stamp(contact.modified, contact.id + 1)):
        raise Refusal(409, "CONFLICT", "The contact was modified in the meantime.")
    contact.fields.update({name: body[name] for name in PROPERTIES if name in body})
    contact.fields.update({name: None for name in CLEARED_WHEN_OMITTED if name not in body})
    merge_custom_fields(destination, "Contact", contact.fields, given)
    payload = _changed(call, contact, "update", body).payload
    return Reply(payload=warned(payload, unknown_custom_fields(destination, "Contact", given)))


def archive_contact(call: Call) -> Reply:
    contact = contact_at(call)
    contact.archived = True
    return _changed(call, contact, "archive", {})


def unarchive_contact(call: Call) -> Reply:
    contact = contact_at(call)
    contact.archived = False
    return _changed(call, contact, "unarchive", {})


def add_reference(call: Call) -> Reply:
    body = require_object(call.body)
    contact = contact_in(call, body)
    if not filled(body.get("referenceSource")) or body.get("referenceId") in (None, ""):
        raise bad("referenceSource and referenceId are required.", "referenceId")
    reference = (str(body["referenceSource"]), str(body["referenceId"]))
    call.organization.destination.add_reference(contact, reference)
    call.entry.references = (reference,)
    return _changed(call, contact, "reference", {})


def remove_reference(call: Call) -> Reply:
    reference = (call.parameters["referenceSource"], call.query.get("referenceId", ""))
    contact = call.organization.destination.by_reference(reference)
    if contact is None:
        raise Refusal(404, "NOT_FOUND", "The requested reference was not found.")
    call.organization.destination.remove_reference(contact, reference)
    call.entry.references = (reference,)
    _changed(call, contact, "unreference", {})
    return Reply()


def _changed(call: Call, contact: Contact, action: str, given: Fields) -> Reply:
    contact.modified = call.now
    note(call.entry, contact, action, given, call.now)
    return Reply(payload=full_contact(contact))


def _first_values(contact: Contact) -> Fields:
    """What the journal notes of a new contact: its first person, methods and address."""
    person = contact.primary_individual()
    fields = {name: contact.fields[name] for name in ("contactType", "name") if contact.fields.get(name)}
    if person:
        fields.update({name: person.fields[name] for name in PERSONAL if person.fields.get(name)})
    fields.update(contact.addresses[0] if contact.addresses else {})
    methods = {"email": primary_value(person, "Email"), "phone": primary_value(person, "Phone")}
    return {**fields, **{name: value for name, value in methods.items() if value}}
