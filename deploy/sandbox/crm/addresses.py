"""`/api/ContactAddress`: the addresses of a contact, one of them primary."""

from deploy.sandbox.crm.access import bad, contact_at, contact_in, find
from deploy.sandbox.crm.changes import ADDRESS_PARTS, add_address, make_primary_address
from deploy.sandbox.crm.destination import Contact, Fields
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.validation import filled, require_object
from deploy.sandbox.exchange import Call, Reply

SEASON = ("startMonth", "startDay", "endMonth", "endDay")


def show_address(call: Call) -> Reply:
    return Reply(payload=find(call.organization.destination.addresses, call.number("id")))


def list_addresses(call: Call) -> Reply:
    return Reply(payload=contact_at(call, "contactId").addresses)


def create_address(call: Call) -> Reply:
    body = require_object(call.body)
    contact = contact_in(call, body)
    if not any(filled(body.get(part)) for part in ADDRESS_PARTS):
        raise bad("An address needs at least one part.", "address1")
    address = add_address(call.organization.destination, contact, body, primary=bool(body.get("setAsPrimary")))
    return _changed(call, contact, address, body, "address")


def change_address(call: Call) -> Reply:
    destination = call.organization.destination
    address, body = find(destination.addresses, call.number("id")), require_object(call.body)
    contact = destination.contacts[address["contactId"]]
    address.update({name: body[name] for name in ("label", *ADDRESS_PARTS, *SEASON) if name in body})
    if body.get("setAsPrimary"):
        make_primary_address(contact, address)
    return _changed(call, contact, address, body, "address")


def remove_address(call: Call) -> Reply:
    destination = call.organization.destination
    address = find(destination.addresses, call.number("id"))
    contact = destination.contacts[address["contactId"]]
    del destination.addresses[address["id"]]
    contact.addresses.remove(address)
    _changed(call, contact, address, {}, "remove_address")
    return Reply()


def _changed(call: Call, contact: Contact, address: Fields, given: Fields, action: str) -> Reply:
    contact.modified = call.now
    note(call.entry, contact, action, given, call.now, primary=address["isPrimary"])
    return Reply(payload=address)
