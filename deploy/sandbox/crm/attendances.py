"""Hours of a volunteer: no key, so that what is sent twice counts twice."""

from deploy.sandbox.crm.access import find, listing, missing
from deploy.sandbox.crm.destination import Fields
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.opportunities import module, opportunity_at
from deploy.sandbox.crm.validation import flaw, invalid_span, is_hours, refuse_invalid, require_object
from deploy.sandbox.crm.volunteers import volunteer_at
from deploy.sandbox.exchange import Call, Reply

PROPERTIES = ("timeZone", "hours", "startDateTimeUtc", "endDateTimeUtc")


def list_attendances(call: Call) -> Reply:
    volunteer = volunteer_at(call)
    rows = call.organization.destination.attendances.values()
    return listing(call, [row for row in rows if row["volunteerId"] == volunteer["id"]])


def create_attendance(call: Call) -> Reply:
    volunteer, body, destination = volunteer_at(call), require_object(call.body), call.organization.destination
    _check(call, body)
    ids = {"volunteerOpportunityId": volunteer["volunteerOpportunityId"], "volunteerId": volunteer["id"]}
    row = {"id": next(destination.row_ids), **ids, **{name: body.get(name) for name in PROPERTIES}}
    destination.attendances[row["id"]] = row
    _note(call, row, "attendance", body, created=True)
    return Reply(payload=row)


def show_attendance(call: Call) -> Reply:
    return Reply(payload=_attendance(call))


def change_attendance(call: Call) -> Reply:
    """Sets what is given and keeps the rest, which must make sense together."""
    row, body = _attendance(call), require_object(call.body)
    _check(call, {**row, **body})
    row.update({name: body[name] for name in PROPERTIES if name in body})
    _note(call, row, "attendance", body, created=False)
    return Reply(payload=row)


def remove_attendance(call: Call) -> Reply:
    row = _attendance(call)
    del call.organization.destination.attendances[row["id"]]
    _note(call, row, "remove_attendance", {}, created=False)
    return Reply()


def _attendance(call: Call) -> Fields:
    row = find(module(call).attendances, call.number("aid"))
    if row["volunteerOpportunityId"] != opportunity_at(call)["id"]:
        raise missing("attendance")
    return row


def _check(call: Call, body: Fields) -> None:
    details = invalid_span(body, "startDateTimeUtc", "endDateTimeUtc")
    if not is_hours(body.get("hours")):
        details.append(flaw("hours", "must be a number that is not negative."))
    refuse_invalid(details, call.organization.settings)


def _note(call: Call, row: Fields, action: str, given: Fields, *, created: bool) -> None:
    destination = call.organization.destination
    contact = destination.contacts[destination.volunteers[row["volunteerId"]]["contactId"]]
    ids = {"volunteer_id": row["volunteerId"], "opportunity_id": row["volunteerOpportunityId"]}
    more = {"record_id": row["id"], "attendance_id": row["id"], **ids}
    note(call.entry, contact, action, given, call.now, record="attendance", created=created, **more)
