"""`/api/ContactMethod`: the e-mail addresses and phones of a person, one primary of each kind."""

from deploy.sandbox.crm.access import bad, find, individual_in, owner
from deploy.sandbox.crm.changes import make_primary, set_method
from deploy.sandbox.crm.destination import Fields, Individual, kind
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.validation import filled, require_object, valid_email
from deploy.sandbox.exchange import Call, Refusal, Reply

TYPES = ("Home Email", "Work Email", "Other Email", "Home Phone", "Mobile Phone", "Work Phone", "Other Phone", "Fax")


def list_types(_call: Call) -> Reply:
    return Reply(payload=list(TYPES))


def show_method(call: Call) -> Reply:
    return Reply(payload=find(call.organization.destination.methods, call.number("id")))


def create_method(call: Call) -> Reply:
    body = require_object(call.body)
    individual = individual_in(call, body)
    _check(call, body, individual)
    primary = bool(body.get("setAsPrimary"))
    opted_in = bool(body.get("isOptedIn", True))
    method = set_method(
        call.organization.destination,
        individual,
        label=body["type"],
        value=body["value"],
        primary=primary,
        opted_in=opted_in,
    )
    return _changed(call, individual, method, "method")


def change_method(call: Call) -> Reply:
    destination = call.organization.destination
    method, body = find(destination.methods, call.number("id")), require_object(call.body)
    individual = destination.individuals[method["contactIndividualId"]]
    _check(call, {**method, **body}, individual)
    destination.forget_email(method)
    method.update({name: body[name] for name in ("type", "value", "isOptedIn") if name in body})
    destination.index_email(method)
    if body.get("setAsPrimary"):
        make_primary(individual, method)
    return _changed(call, individual, method, "method")


def remove_method(call: Call) -> Reply:
    destination = call.organization.destination
    method = find(destination.methods, call.number("id"))
    individual = destination.individuals[method["contactIndividualId"]]
    destination.remove_method(method)
    _changed(call, individual, {}, "remove_method")
    return Reply()


def _check(call: Call, body: Fields, individual: Individual) -> None:
    for name in ("type", "value"):
        if not filled(body.get(name)):
            raise bad(f"{name} is required.", name)
    if kind(body) != "email":
        return
    if not valid_email(body["value"]):
        raise bad("The e-mail address is not valid.", "value")
    others = call.organization.destination.with_email(body["value"])
    taken = any(other.contact_id != individual.contact_id for other in others)
    if taken and call.organization.settings.unique_emails:
        raise Refusal(409, "CONFLICT", "The e-mail address belongs to another contact.")


def _changed(call: Call, individual: Individual, method: Fields, action: str) -> Reply:
    contact = owner(call, individual)
    contact.modified = call.now
    given = {kind(method): method["value"]} if method else {}
    note(call.entry, contact, action, given, call.now, individual_id=individual.id, primary=method.get("isPrimary"))
    return Reply(payload=method or None)
