"""Direct writes on contacts: each takes effect at once, and a creation is repeated as often as it is sent."""

from deploy.sandbox.crm.access import bad, contact_at, contact_in
from deploy.sandbox.crm.changes import add_address, merge_custom_fields, note, tag_by_name
from deploy.sandbox.crm.destination import Contact, Fields
from deploy.sandbox.crm.individuals import PERSONAL, add_individual, invalid_individual
from deploy.sandbox.crm.rendering import full_contact, primary_value, stamp
from deploy.sandbox.crm.validation import NAMED_TYPES, filled, refuse_invalid, require_object, required
from deploy.sandbox.exchange import Call, Details, Refusal, Reply

PROPERTIES = (
    "contactType", "name", "informalName", "description", "website", "maritalStatus", "anniversaryMonth",
    "anniversaryDay", "anniversaryYear", "originSegmentId", "isPrivate", "customCollections",
)  # fmt: skip
#: What a PUT clears when it is left out; the live service keeps most properties, not all.
CLEARED_WHEN_OMITTED = ("description", "website")


def create_contact(call: Call) -> Reply:
    """A new contact from a nested body, whatever exists already."""
    body = require_object(call.body)
    refuse_invalid(_invalid_nested(body), call.organization.settings)
    destination = call.organization.destination
    fields = {name: body[name] for name in PROPERTIES if name in body}
    contact = destination.new_contact(fields, call.now, lag_seconds=call.organization.settings.index_lag_seconds)
    if body.get("referenceSource") and body.get("referenceId"):
        reference = (str(body["referenceSource"]), str(body["referenceId"]))
        destination.add_reference(contact, reference)
        call.entry.references = (reference,)
    _fill(call, contact, body)
    note(call.entry, contact, "create", _first_values(contact), call.now)
    return Reply(payload=full_contact(contact))


def change_contact(call: Call) -> Reply:
    """Replaces some properties and keeps most others; a stale modification time is a conflict."""
    contact, body = contact_at(call), require_object(call.body)
    if not filled(body.get("contactType", contact.fields.get("contactType"))):
        raise bad("contactType is required.", "contactType")
    if body.get("modifiedDateTimeUtc") not in (None, stamp(contact.modified, contact.id + 1)):
        raise Refusal(409, "CONFLICT", "The contact was modified in the meantime.")
    contact.fields.update({name: body[name] for name in PROPERTIES if name in body})
    contact.fields.update({name: None for name in CLEARED_WHEN_OMITTED if name not in body})
    if "customFields" in body:
        merge_custom_fields(contact.fields, body["customFields"])
    return _changed(call, contact, "update", body)


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


def _fill(call: Call, contact: Contact, body: Fields) -> None:
    for given in body.get("contactIndividuals") or ():
        add_individual(call, contact, given)
    for address in body.get("contactAddresses") or ():
        parts = {**address, "state": address.get("state") or address.get("stateCode")}
        parts["country"] = address.get("country") or address.get("countryCode")
        primary = bool(address.get("isPrimary") or address.get("setAsPrimary"))
        add_address(call.organization.destination, contact, parts, primary=primary)
    merge_custom_fields(contact.fields, body.get("customFields"))
    contact.archived = bool(body.get("isArchived"))
    tags = body.get("tags") or ""
    tag_by_name(call.organization.destination, contact, tags if isinstance(tags, str) else ",".join(map(str, tags)))


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


def _invalid_nested(body: Fields) -> Details:
    details = [] if filled(body.get("contactType")) else [required("contactType")]
    if body.get("contactType") in NAMED_TYPES:
        return details if filled(body.get("name")) else [*details, required("name")]
    individuals = body.get("contactIndividuals")
    if not isinstance(individuals, list) or not individuals:
        return [*details, required("contactIndividuals")]
    for position, individual in enumerate(individuals):
        details += invalid_individual(individual, prefix=f"contactIndividuals[{position}].")
    return details
