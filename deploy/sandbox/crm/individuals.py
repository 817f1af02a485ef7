"""`/api/ContactIndividual`: the people of a contact."""

from deploy.sandbox.crm.access import contact_at, contact_in, find, owner
from deploy.sandbox.crm.changes import merge_custom_fields, note, set_method
from deploy.sandbox.crm.destination import Contact, Fields, Individual
from deploy.sandbox.crm.rendering import full_individual
from deploy.sandbox.crm.validation import filled, refuse_invalid, require_object, required, valid_email
from deploy.sandbox.exchange import Call, Details, Reply

PERSONAL = (
    "prefix", "firstName", "middleName", "lastName", "suffix", "gender", "isPrimary", "isSecondary", "birthMonth",
    "birthDay", "birthYear", "birthDate", "isDeceased", "passion", "avatarUrl", "customCollections",
)  # fmt: skip


def show_individual(call: Call) -> Reply:
    return Reply(payload=full_individual(_individual(call)))


def list_individuals(call: Call) -> Reply:
    return Reply(payload=[full_individual(individual) for individual in contact_at(call, "contactId").individuals])


def create_individual(call: Call) -> Reply:
    body = require_object(call.body)
    contact = contact_in(call, body)
    refuse_invalid(invalid_individual(body, prefix=""), call.organization.settings)
    individual = add_individual(call, contact, body)
    return _changed(call, individual, "individual", body)


def change_individual(call: Call) -> Reply:
    """Sets what is given and keeps the rest, but never without a name."""
    individual, body = _individual(call), require_object(call.body)
    refuse_invalid(invalid_individual({**individual.fields, **body}, prefix=""), call.organization.settings)
    individual.fields.update({name: body[name] for name in PERSONAL if name in body})
    if "customFields" in body:
        merge_custom_fields(individual.fields, body["customFields"])
    return _changed(call, individual, "individual", body)


def remove_individual(call: Call) -> Reply:
    individual = _individual(call)
    contact = owner(call, individual)
    call.organization.destination.remove_individual(individual)
    contact.modified = call.now
    note(call.entry, contact, "remove_individual", {}, call.now)
    return Reply()


def add_individual(call: Call, contact: Contact, body: Fields) -> Individual:
    """Adds a person with the methods in the body."""
    destination = call.organization.destination
    individual = destination.new_individual(contact, {name: body[name] for name in PERSONAL if name in body})
    merge_custom_fields(individual.fields, body.get("customFields"))
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


def invalid_individual(body: object, prefix: str) -> Details:
    if not isinstance(body, dict):
        return [required(prefix.rstrip("."))]
    details = [required(prefix + name) for name in ("firstName", "lastName") if not filled(body.get(name))]
    for position, method in enumerate(body.get("contactMethods") or ()):
        details += _invalid_method(method, f"{prefix}contactMethods[{position}].")
    return details


def _invalid_method(method: object, prefix: str) -> Details:
    if not isinstance(method, dict):
        return [required(prefix.rstrip("."))]
    details = [required(prefix + name) for name in ("type", "value") if not filled(method.get(name))]
    if not details and "email" in method["type"].lower() and not valid_email(method["value"]):
        details.append({"field": f"{prefix}value", "code": "INVALID", "message": "The e-mail address is not valid."})
    return details


def _individual(call: Call) -> Individual:
    individual = find(call.organization.destination.individuals, call.number("id"))
    call.entry.saw(individual.contact_id)
    return individual


def _changed(call: Call, individual: Individual, action: str, given: Fields) -> Reply:
    contact = owner(call, individual)
    contact.modified = call.now
    note(call.entry, contact, action, given, call.now, individual_id=individual.id)
    return Reply(payload=full_individual(individual))
