"""`volunteerAttendances` of a submitted contact: hours that arrive with the import; no endpoint shows them."""

from datetime import datetime
from typing import Any

from deploy.sandbox.crm.destination import Contact, Destination, Fields, Held, Individual
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.validation import filled, flaw, is_hours, readable_time, required
from deploy.sandbox.exchange import Details
from deploy.sandbox.journal import Entry


def invalid_attendances(destination: Destination, item: Fields, prefix: str) -> Details:
    """What is wrong with the attendances of a flat contact. An id must be that of an opportunity."""
    rows = item.get("volunteerAttendances")
    if rows is None:
        return []
    if not isinstance(rows, list):
        return [flaw(f"{prefix}volunteerAttendances", "must be an array.")]
    places = [(f"{prefix}volunteerAttendances[{at}].", row) for at, row in enumerate(rows)]
    return [detail for place, row in places for detail in _invalid(destination, row, place)]


def add_attendances(
    destination: Destination, contact: Contact, individual: Individual | None, held: Held
) -> list[Fields]:
    """Keeps what an item brought, in its order; sent twice, it is there twice."""
    reference = contact.references[0] if contact.references else None
    added = [
        {
            "id": next(destination.row_ids),
            "contactId": contact.id,
            "contactIndividualId": individual.id if individual else None,
            "reference": reference,
            **_opportunity(destination, row),
            "date": row["date"],
            "hours": row["hours"],
            "submission": held.submission,
        }
        for row in held.item.get("volunteerAttendances") or ()
    ]
    destination.transaction_attendances += added
    return added


def note_attendances(entry: Entry, contact: Contact, rows: list[Fields], now: datetime) -> None:
    for row in rows:
        opportunity_id = row["volunteerOpportunityId"]
        given = {**row, "opportunity": row["volunteerOpportunityName"] or str(opportunity_id)}
        ids = {"attendance_id": row["id"], "opportunity_id": opportunity_id, "submission": row["submission"]}
        action, more = "transaction_attendance", {"record_id": row["id"], "created": True, **ids}
        note(entry, contact, action, given, now, record="attendance", **more)


def _invalid(destination: Destination, row: Any, prefix: str) -> Details:
    if not isinstance(row, dict):
        return [required(prefix.rstrip("."))]
    details = _invalid_place(destination, row, prefix)
    if not readable_time(row.get("date")):
        details.append(flaw(f"{prefix}date", "must be a date."))
    if not is_hours(row.get("hours")):
        details.append(flaw(f"{prefix}hours", "must be a number that is not negative."))
    return details


def _invalid_place(destination: Destination, row: Fields, prefix: str) -> Details:
    """An opportunity by id must exist; by name it may be any."""
    given = row.get("volunteerOpportunityId")
    if given in (None, ""):
        return [] if filled(row.get("volunteerOpportunityName")) else [required(f"{prefix}volunteerOpportunityName")]
    exists = str(given).isdecimal() and int(str(given)) in destination.opportunities
    return [] if exists else [flaw(f"{prefix}volunteerOpportunityId", "does not name an opportunity.")]


def _opportunity(destination: Destination, row: Fields) -> Fields:
    """The id, also where a name is that of exactly one opportunity, and the name as it was sent."""
    given, name = row.get("volunteerOpportunityId"), row.get("volunteerOpportunityName")
    if given not in (None, ""):
        return {"volunteerOpportunityId": int(str(given)), "volunteerOpportunityName": name}
    ids = [each["id"] for each in destination.opportunities.values() if each["name"] == name]
    return {"volunteerOpportunityId": ids[0] if len(ids) == 1 else None, "volunteerOpportunityName": name}
