"""`/api/ContactIndividual`: the people of a contact."""

from deploy.sandbox.crm.access import contact_at, contact_in, find, owner
from deploy.sandbox.crm.building import PERSONAL, add_individual, invalid_individual
from deploy.sandbox.crm.custom_fields import merge_custom_fields, unknown_custom_fields, warned
from deploy.sandbox.crm.destination import Fields, Individual
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.rendering import full_individual
from deploy.sandbox.crm.validation import refuse_invalid, require_object
from deploy.sandbox.exchange import Call, Reply


def show_individual(call: Call) -> Reply:
    return Reply(payload=full_individual(_individual(call)))


def list_individuals(call: Call) -> Reply:
    return Reply(payload=[full_individual(individual) for individual in contact_at(call, "contactId").individuals])


def create_individual(call: Call) -> Reply:
    body = require_object(call.body)
    contact = contact_in(call, body)
    destination = call.organization.destination
    refuse_invalid(invalid_individual(destination, body, prefix=""), call.organization.settings)
    individual = add_individual(destination, contact, body)
    return _changed(call, individual, "individual", body)


def change_individual(call: Call) -> Reply:
    """Sets what is given and keeps the rest, but never without a name."""
    individual, body, destination = _individual(call), require_object(call.body), call.organization.destination
    details = invalid_individual(destination, {**individual.fields, **body}, prefix="")
    refuse_invalid(details, call.organization.settings)
    individual.fields.update({name: body[name] for name in PERSONAL if name in body})
    merge_custom_fields(destination, "ContactIndividual", individual.fields, body.get("customFields"))
    return _changed(call, individual, "individual", body)


def remove_individual(call: Call) -> Reply:
    individual = _individual(call)
    contact = owner(call, individual)
    call.organization.destination.remove_individual(individual)
    contact.modified = call.now
    note(call.entry, contact, "remove_individual", {}, call.now)
    return Reply()


def _individual(call: Call) -> Individual:
    individual = find(call.organization.destination.individuals, call.number("id"))
    call.entry.saw(individual.contact_id)
    return individual


def _changed(call: Call, individual: Individual, action: str, given: Fields) -> Reply:
    contact = owner(call, individual)
    contact.modified = call.now
    note(call.entry, contact, action, given, call.now, individual_id=individual.id)
    warnings = unknown_custom_fields(call.organization.destination, "ContactIndividual", given.get("customFields"))
    return Reply(payload=warned(full_individual(individual), warnings))
