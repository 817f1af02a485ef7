"""Tags: the definitions, and what ties one to a contact; tying has no key and can be doubled."""

from deploy.sandbox.crm.access import bad, contact_at, contact_in, find, integer, listing, missing
from deploy.sandbox.crm.changes import add_tag, note
from deploy.sandbox.crm.destination import Contact, Fields
from deploy.sandbox.crm.validation import require_object
from deploy.sandbox.exchange import Call, Reply


def list_tags(call: Call) -> Reply:
    tags = call.organization.destination.tags.items()
    return listing(call, [{"id": tag_id, "tagName": name} for tag_id, name in tags])


def search_tags(call: Call) -> Reply:
    needle = str(require_object(call.body).get("search") or "").lower()
    tags = call.organization.destination.tags.items()
    return listing(call, [{"id": tag_id, "tagName": name} for tag_id, name in tags if needle in name.lower()])


def list_contact_tags(call: Call) -> Reply:
    contact = contact_at(call, "contactId")
    return Reply(payload=contact.tags)


def create_contact_tag(call: Call) -> Reply:
    body = require_object(call.body)
    return Reply(payload=_tie(call, contact_in(call, body), body))


def create_contact_tags(call: Call) -> Reply:
    """One tag for many contacts, where the organization has the endpoint."""
    if not call.organization.settings.bulk_endpoints:
        raise missing("resource")
    body = require_object(call.body)
    ids = body.get("contactIds")
    if not isinstance(ids, list):
        raise bad("contactIds must be an array.", "contactIds")
    contacts = [contact_in(call, {"contactId": contact_id}) for contact_id in ids]
    return Reply(payload=[_tie(call, contact, body) for contact in contacts])


def remove_contact_tag(call: Call) -> Reply:
    destination = call.organization.destination
    row = find(destination.contact_tags, call.number("id"))
    del destination.contact_tags[row["id"]]
    contact = destination.contacts[row["contactId"]]
    contact.tags.remove(row)
    contact.modified = call.now
    note(call.entry, contact, "untag", {}, call.now, tag_id=row["tagId"])
    return Reply()


def _tie(call: Call, contact: Contact, body: Fields) -> Fields:
    tag_id = integer(body, "tagId")
    if tag_id not in call.organization.destination.tags:
        raise bad("tagId does not name a tag.", "tagId")
    row = add_tag(call.organization.destination, contact, tag_id)
    contact.modified = call.now
    note(call.entry, contact, "tag", {}, call.now, tag_id=tag_id)
    return row
