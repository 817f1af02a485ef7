"""The records of a destination by `<kind>/<id>`, as they are exported, and what an entry left of those it touched.

A submission that is held counts as one record: the items of it that still wait, without their status, which staff and
the import's own rules move without a word.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from deploy.sandbox.crm.destination import Contact, Destination, Held
from deploy.sandbox.crm.rendering import full_contact
from deploy.sandbox.journal import Entry
from deploy.sandbox.organization import Organization

Row = dict[str, Any]


def contact_row(contact: Contact) -> Row:
    """A contact as the export shows it."""
    return {**full_contact(contact), "contactAddresses": contact.addresses}


def records(destination: Destination) -> Iterator[tuple[str, Any]]:
    """Everything, also the definitions that only staff make."""
    for contact in destination.contacts.values():
        yield f"contact/{contact.id}", contact_row(contact)
    for kind, rows in _tables(destination).items():
        yield from ((f"{kind}/{row_id}", row) for row_id, row in rows.items())
    for row in destination.transaction_attendances:
        yield f"attendance/{row['id']}", row
    yield from _held("held", destination.held)
    yield from _held("held_gift", destination.held_gifts)
    yield "definitions/tags", [{"id": tag_id, "tagName": name} for tag_id, name in destination.tags.items()]
    yield "definitions/projects", list(destination.projects.values())
    yield "definitions/custom_fields", destination.custom_fields


def prove(organization: Organization, entry: Entry, submissions: Collection[int]) -> None:
    """Notes, in the entry and beside it, what every record that it wrote looks like now, and what is still held of
    the submissions that it brought or took from.
    """
    destination = organization.destination
    keys = {f"{write['record']}/{write['record_id']}" for write in entry.writes}
    keys |= {f"contact/{write['contact_id']}" for write in entry.writes if write["contact_id"] is not None}
    found: dict[str, Any] = {key: _row(destination, key) for key in sorted(keys)}
    for kind, line in (("held", destination.held), ("held_gift", destination.held_gifts)) if submissions else ():
        known = [key for key in (f"{kind}/{number}" for number in submissions) if key in organization.proofs.rows]
        found |= {**dict.fromkeys(known), **dict(_held(kind, line, submissions))}
    if found:
        entry.touched = {key: organization.proofs.note(key, row, entry.seq) for key, row in found.items()}


def brought(organization: Organization, entry: Entry) -> Collection[int]:
    """The submission that the request was, if it was one: what it brought is at the end of the line."""
    lines = (organization.destination.held, organization.destination.held_gifts)
    return {entry.seq} if any(line and line[-1].submission == entry.seq for line in lines) else ()


def _tables(destination: Destination) -> dict[str, dict[int, Row]]:
    return {
        "tag": destination.contact_tags,
        "note": destination.notes,
        "opportunity": destination.opportunities,
        "volunteer": destination.volunteers,
        "attendance": destination.attendances,
        "gift": destination.gifts,
    }


def _row(destination: Destination, key: str) -> Row | None:
    kind, _, number = key.partition("/")
    if kind == "contact":
        contact = destination.contacts.get(int(number))
        return contact_row(contact) if contact else None
    row = _tables(destination)[kind].get(int(number))
    if row is None and kind == "attendance":
        return next((each for each in destination.transaction_attendances if each["id"] == int(number)), None)
    return row


def _held(kind: str, line: Iterable[Held], submissions: Collection[int] | None = None) -> Iterator[tuple[str, Any]]:
    """By submission, in the order of the line; all of them, or those that are asked for."""
    found: dict[int, list[Row]] = defaultdict(list)
    for held in line:
        if submissions is None or held.submission in submissions:
            found[held.submission].append({"source": held.source, "item": held.item})
    yield from ((f"{kind}/{submission}", rows) for submission, rows in found.items())
