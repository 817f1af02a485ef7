"""`POST /api/Contact/Query`: which contacts answer a question, in brief or in full."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from deploy.sandbox.crm.access import bad, window
from deploy.sandbox.crm.conditions import Parameter, compiled, options_of
from deploy.sandbox.crm.destination import Contact, Fields, normal
from deploy.sandbox.crm.rendering import brief_contact, display_name, full_contact
from deploy.sandbox.crm.validation import require_object
from deploy.sandbox.exchange import Call, Reply

#: Of people, methods and addresses any one may match.
PARAMETERS: Mapping[str, Parameter] = {
    "Contact Id": Parameter("Int", lambda contact: contact.id),
    "Email Address": Parameter("String", lambda contact: _methods(contact, "email")),
    "Phone": Parameter("String", lambda contact: _methods(contact, "phone")),
    "First Name": Parameter("String", lambda contact: _persons(contact, "firstName")),
    "Last Name": Parameter("String", lambda contact: _persons(contact, "lastName")),
    "Contact Name": Parameter("String", lambda contact: [normal(display_name(contact) or "")]),
    "Contact Type": Parameter("String", lambda contact: [normal(contact.fields.get("contactType"))]),
    "Address 1": Parameter("String", lambda contact: _addresses(contact, "address1")),
    "City": Parameter("String", lambda contact: _addresses(contact, "city")),
    "State": Parameter("String", lambda contact: _addresses(contact, "state")),
    "Postal": Parameter("String", lambda contact: _addresses(contact, "postal")),
    "Tags": Parameter("List", lambda contact: [normal(row["tagName"]) for row in contact.tags]),
    "Create DateTime UTC": Parameter("Date", lambda contact: contact.created),
    "Last Modified DateTime UTC": Parameter("Date", lambda contact: contact.modified),
    "Create Date": Parameter("Date", lambda contact: _day(contact.created)),
    "Last Modified Date": Parameter("Date", lambda contact: _day(contact.modified)),
}
SORTS: Mapping[str, Callable[[Contact], Any]] = {
    "Id": lambda contact: contact.id,
    "Contact Id": lambda contact: contact.id,
    "Name": lambda contact: (display_name(contact) or "", contact.id),
    "CreatedDateTime": lambda contact: (contact.created, contact.id),
    "LastModifiedDateTime": lambda contact: (contact.modified, contact.id),
}


def query_brief(call: Call) -> Reply:
    return _query(call, brief_contact)


def query_full(call: Call) -> Reply:
    return _query(call, full_contact)


def list_options(_call: Call) -> Reply:
    return Reply(payload={"options": options_of(PARAMETERS), "sortOptions": list(SORTS)})


def _query(call: Call, render: Callable[[Contact], dict[str, Any]]) -> Reply:
    body = require_object(call.body or {})
    span, matches = window(call), compiled(body, PARAMETERS)
    archived_too = bool(body.get("includeArchived"))
    contacts = call.organization.destination.contacts.values()
    found = [contact for contact in contacts if (archived_too or not contact.archived) and matches(contact)]
    found.sort(key=_sort_key(body), reverse=bool(body.get("descending")))
    call.entry.contact_ids = tuple(contact.id for contact in found[span])
    return Reply(payload={"list": [render(contact) for contact in found[span]], "total": len(found)})


def _sort_key(body: Fields) -> Callable[[Contact], Any]:
    name = body.get("sortBy") or "Id"
    if name not in SORTS:
        raise bad(f"Unknown sort {name!r}.", "sortBy")
    return SORTS[name]


def _methods(contact: Contact, label: str) -> list[str]:
    methods = [method for individual in contact.individuals for method in individual.methods]
    return [normal(method["value"]) for method in methods if label in method["type"].lower()]


def _persons(contact: Contact, name: str) -> list[str]:
    return [normal(individual.fields.get(name)) for individual in contact.individuals]


def _addresses(contact: Contact, part: str) -> list[str]:
    return [normal(address[part]) for address in contact.addresses if address[part]]


def _day(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
