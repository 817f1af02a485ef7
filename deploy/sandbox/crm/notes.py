"""Notes on contacts: no key, no deduplication, gone when deleted."""

from deploy.sandbox.crm.access import bad, contact_at, contact_in, find, listing, missing
from deploy.sandbox.crm.changes import note
from deploy.sandbox.crm.destination import Fields
from deploy.sandbox.crm.rendering import stamp
from deploy.sandbox.crm.validation import filled, require_object
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
    return Reply(payload=_add(call, require_object(call.body)))


def create_notes(call: Call) -> Reply:
    """Many notes at once, where the organization has the endpoint; all or none."""
    if not call.organization.settings.bulk_endpoints:
        raise missing("resource")
    bodies = require_object(call.body).get("notes")
    if not isinstance(bodies, list):
        raise bad("notes must be an array.", "notes")
    for body in bodies:
        _check(call, require_object(body))
    return Reply(payload=[_add(call, body) for body in bodies])


def change_note(call: Call) -> Reply:
    row, body = find(call.organization.destination.notes, call.number("id")), require_object(call.body)
    row.update({name: body.get(name) for name in PROPERTIES})
    note(call.entry, call.organization.destination.contacts[row["contactId"]], "note", {}, call.now, note_id=row["id"])
    return Reply(payload=row)


def remove_note(call: Call) -> Reply:
    destination = call.organization.destination
    row = find(destination.notes, call.number("id"))
    del destination.notes[row["id"]]
    note(call.entry, destination.contacts[row["contactId"]], "remove_note", {}, call.now, note_id=row["id"])
    return Reply()


def _check(call: Call, body: Fields) -> None:
    contact_in(call, body)
    if not filled(body.get("note")):
        raise bad("note is required.", "note")


def _add(call: Call, body: Fields) -> Fields:
    _check(call, body)
    contact, note_id = contact_in(call, body), next(call.organization.destination.row_ids)
    row = {"id": note_id, "contactId": contact.id, **{name: body.get(name) for name in PROPERTIES}, "reminder": None}
    row["createDateTimeUtc"] = stamp(call.now, note_id)
    call.organization.destination.notes[note_id] = row
    note(call.entry, contact, "note", {}, call.now, note_id=note_id)
    return row
