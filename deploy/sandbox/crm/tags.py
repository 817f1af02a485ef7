"""Tags: the definitions, and what ties one to a contact; tying has no key and can be doubled."""

from collections.abc import Sequence
from datetime import datetime

from deploy.sandbox.crm.access import BULK_LIMIT, bad, contact_at, contact_in, find, integer, listing, missing
from deploy.sandbox.crm.changes import add_tag
from deploy.sandbox.crm.destination import Contact, Fields
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.rendering import brief_contact
from deploy.sandbox.crm.validation import require_object
from deploy.sandbox.exchange import Call, Reply
from deploy.sandbox.journal import Entry


def list_tags(call: Call) -> Reply:
    tags = call.organization.destination.tags.items()
    return listing(call, [{"id": tag_id, "tagName": name} for tag_id, name in tags])


def search_tags(call: Call) -> Reply:
    needle = str(require_object(call.body).get("search") or "").lower()
    tags = call.organization.destination.tags.items()
    return listing(call, [{"id": tag_id, "tagName": name} for tag_id, name in tags if needle in name.lower()])


def list_tagged(call: Call) -> Reply:
    """Who has a tag, in the order of tying, each with the id of what ties it; archived contacts are left out."""
    destination, tag_id = call.organization.destination, call.number("tagId")
    if tag_id not in destination.tags:
        raise missing("tag")
    rows = [row for row in destination.contact_tags.values() if row["tagId"] == tag_id]
    return listing(
        call,
        [
            {**brief_contact(contact), "contactTagId": row["id"], "tagId": tag_id}
            for row in rows
            if not (contact := destination.contacts[row["contactId"]]).archived
        ],
    )


def list_contact_tags(call: Call) -> Reply:
    contact = contact_at(call, "contactId")
    return Reply(payload=contact.tags)


def create_contact_tag(call: Call) -> Reply:
    body = require_object(call.body)
    contact, tag_id = contact_in(call, body), _tag_id(call, body)
    return Reply(payload=_tie(call, contact, tag_id))


def create_contact_tags(call: Call) -> Reply:
    """One tag for many contacts, where the organization has the endpoint; all or none."""
    if not call.organization.settings.bulk_endpoints:
        raise missing("resource")
    body = require_object(call.body)
    ids = body.get("contactIds")
    if not isinstance(ids, list) or len(ids) > BULK_LIMIT:
        raise bad(f"contactIds must be an array of at most {BULK_LIMIT}.", "contactIds")
    tag_id = _tag_id(call, body)
    contacts = [contact_in(call, {"contactId": each}, named=f"contactIds[{at}]") for at, each in enumerate(ids)]
    return Reply(payload=[_tie(call, contact, tag_id) for contact in contacts])


def remove_contact_tag(call: Call) -> Reply:
    destination = call.organization.destination
    row = find(destination.contact_tags, call.number("id"))
    del destination.contact_tags[row["id"]]
    contact = destination.contacts[row["contactId"]]
    contact.tags.remove(row)
    contact.modified = call.now
    note(call.entry, contact, "untag", row, call.now, record="tag", record_id=row["id"], tag_id=row["tagId"])
    return Reply()


def note_tags(
    entry: Entry, contact: Contact, rows: Sequence[Fields], now: datetime, submission: int | None = None
) -> None:
    """Notes what was just tied."""
    for row in rows:
        more = {"tag_id": row["tagId"], "submission": submission}
        note(entry, contact, "tag", row, now, record="tag", record_id=row["id"], created=True, **more)


def _tag_id(call: Call, body: Fields) -> int:
    tag_id = integer(body, "tagId")
    if tag_id not in call.organization.destination.tags:
        raise bad("tagId does not name a tag.", "tagId")
    return tag_id


def _tie(call: Call, contact: Contact, tag_id: int) -> Fields:
    row = add_tag(call.organization.destination, contact, tag_id)
    contact.modified = call.now
    note_tags(call.entry, contact, [row], call.now)
    return row
