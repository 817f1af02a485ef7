"""Notes on contacts: no key, no deduplication, gone when deleted."""

from deploy.sandbox.crm.access import BULK_LIMIT, bad, contact_at, contact_in, find, listing, missing
from deploy.sandbox.crm.custom_fields import (
    invalid_custom_fields,
    merge_custom_fields,
    unknown_custom_fields,
    warned,
)
from deploy.sandbox.crm.destination import Fields
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.rendering import stamp
from deploy.sandbox.crm.validation import filled, refuse_invalid, require_object
from deploy.sandbox.exchange import Call, Reply

TYPES = ("General", "Phone Call", "Meeting", "Volunteer")
PROPERTIES = ("type", "note", "noteDateTime", "important", "private", "timeSpent")


def list_types(_call: Call) -> Reply:
    return Reply(payload=list(TYPES))


def list_notes(call: Call) -> Reply:
    contact = contact_at(call, "contactId")
    rows = call.organization.destination.notes.values()
    return listing(call, [row for row in rows if row["contactId"] == contact.id])


def show_note(call: Call) -> Reply:
    return Reply(payload=find(call.organization.destination.notes, call.number("id")))


def create_note(call: Call) -> Reply:
    body = require_object(call.body)
    _check(call, body)
    return Reply(payload=_add(call, body))


def create_notes(call: Call) -> Reply:
    """Many notes at once, where the organization has the endpoint; all or none."""
    if not call.organization.settings.bulk_endpoints:
        raise missing("resource")
    bodies = require_object(call.body).get("notes")
    if not isinstance(bodies, list) or len(bodies) > BULK_LIMIT:
        raise bad(f"notes must be an array of at most {BULK_LIMIT}.", "notes")
    for at, body in enumerate(bodies):
        _check(call, require_object(body), prefix=f"notes[{at}].")
    return Reply(payload=[_add(call, body) for body in bodies])


def change_note(call: Call) -> Reply:
    """Replaces the whole note; custom fields that are left out stay."""
    row, body = find(call.organization.destination.notes, call.number("id")), require_object(call.body)
    _check_text(call, body, prefix="")
    row.update({name: body.get(name) for name in PROPERTIES})
    return Reply(payload=_settled(call, row, body, created=False))


def remove_note(call: Call) -> Reply:
    destination = call.organization.destination
    row = find(destination.notes, call.number("id"))
    del destination.notes[row["id"]]
    contact, ids = destination.contacts[row["contactId"]], {"record_id": row["id"], "note_id": row["id"]}
    note(call.entry, contact, "remove_note", {}, call.now, record="note", **ids)
    return Reply()


def _check(call: Call, body: Fields, prefix: str = "") -> None:
    contact_in(call, body, named=f"{prefix}contactId")
    _check_text(call, body, prefix)


def _check_text(call: Call, body: Fields, prefix: str) -> None:
    if not filled(body.get("note")):
        raise bad(f"{prefix}note is required.", f"{prefix}note")
    given = body.get("customFields")
    details = invalid_custom_fields(call.organization.destination, "ContactNote", given, prefix)
    refuse_invalid(details, call.organization.settings)


def _add(call: Call, body: Fields) -> Fields:
    contact, note_id = contact_in(call, body), next(call.organization.destination.row_ids)
    row = {"id": note_id, "contactId": contact.id, **{name: body.get(name) for name in PROPERTIES}, "reminder": None}
    row["createDateTimeUtc"] = stamp(call.now, note_id)
    call.organization.destination.notes[note_id] = row
    return _settled(call, row, body, created=True)


def _settled(call: Call, row: Fields, body: Fields, *, created: bool) -> Fields:
    """Sets custom fields, notes the write, and gives the answer."""
    destination, given = call.organization.destination, body.get("customFields")
    merge_custom_fields(destination, "ContactNote", row, given)
    contact, ids = destination.contacts[row["contactId"]], {"record_id": row["id"], "note_id": row["id"]}
    note(call.entry, contact, "note", body, call.now, record="note", created=created, **ids)
    return warned(row, unknown_custom_fields(destination, "ContactNote", given))
