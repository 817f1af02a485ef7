"""The volunteer module: opportunities, who signed up, and their attendance; absent in many organizations."""

from deploy.sandbox.crm.access import bad, find, individual_in, integer, listing, missing, owner
from deploy.sandbox.crm.changes import note
from deploy.sandbox.crm.destination import Contact, Destination, Fields
from deploy.sandbox.crm.validation import filled, require_object
from deploy.sandbox.exchange import Call, Reply


def list_opportunities(call: Call) -> Reply:
    return listing(call, list(_module(call).opportunities.values()))


def create_opportunity(call: Call) -> Reply:
    destination, body = _module(call), require_object(call.body)
    if not filled(body.get("name")):
        raise bad("name is required.", "name")
    row = {"isActive": True, **body, "id": next(destination.row_ids)}
    destination.opportunities[row["id"]] = row
    return Reply(payload=row)


def show_opportunity(call: Call) -> Reply:
    return Reply(payload=_opportunity(call))


def change_opportunity(call: Call) -> Reply:
    row = _opportunity(call)
    row.update({**require_object(call.body), "id": row["id"]})
    return Reply(payload=row)


def list_volunteers(call: Call) -> Reply:
    opportunity = _opportunity(call)
    rows = call.organization.destination.volunteers.values()
    return listing(call, [row for row in rows if row["volunteerOpportunityId"] == opportunity["id"]])


def create_volunteer(call: Call) -> Reply:
    """Signs a person up; nothing keeps one from signing up twice."""
    opportunity, destination = _opportunity(call), call.organization.destination
    individual = individual_in(call, require_object(call.body))
    row = {
        "id": next(destination.row_ids),
        "volunteerOpportunityId": opportunity["id"],
        "contactId": individual.contact_id,
        "contactIndividualId": individual.id,
    }
    destination.volunteers[row["id"]] = row
    note(call.entry, owner(call, individual), "volunteer", {}, call.now, volunteer_id=row["id"])
    return Reply(payload=row)


def list_attendances(call: Call) -> Reply:
    volunteer = _volunteer(call)
    rows = call.organization.destination.attendances.values()
    return listing(call, [row for row in rows if row["volunteerId"] == volunteer["id"]])


def create_attendance(call: Call) -> Reply:
    """Adds hours; sent twice, they count twice."""
    volunteer, body, destination = _volunteer(call), require_object(call.body), call.organization.destination
    if body.get("hours") is None:
        raise bad("hours is required.", "hours")
    ids = {"volunteerOpportunityId": volunteer["volunteerOpportunityId"], "volunteerId": volunteer["id"]}
    row = {**body, **ids, "id": next(destination.row_ids)}
    destination.attendances[row["id"]] = row
    contact = destination.contacts[volunteer["contactId"]]
    note(call.entry, contact, "attendance", {}, call.now, attendance_id=row["id"])
    return Reply(payload=row)


def show_attendance(call: Call) -> Reply:
    return Reply(payload=_attendance(call))


def change_attendance(call: Call) -> Reply:
    row = _attendance(call)
    row.update({**require_object(call.body), "id": row["id"], "volunteerId": row["volunteerId"]})
    note(call.entry, _contact_of(call, row), "attendance", {}, call.now, attendance_id=row["id"])
    return Reply(payload=row)


def remove_attendance(call: Call) -> Reply:
    row = _attendance(call)
    del call.organization.destination.attendances[row["id"]]
    note(call.entry, _contact_of(call, row), "remove_attendance", {}, call.now, attendance_id=row["id"])
    return Reply()


def search_volunteers(call: Call) -> Reply:
    """Sign-ups that match every given id."""
    names = {"volunteerOpportunityId": "volunteerOpportunityId", "volunteerId": "id"}
    names |= {name: name for name in ("contactId", "contactIndividualId")}
    wanted = {names[name]: integer(dict(call.query), name) for name in names if name in call.query}
    rows = _module(call).volunteers.values()
    return listing(call, [row for row in rows if all(row[name] == value for name, value in wanted.items())])


def _module(call: Call) -> Destination:
    if not call.organization.settings.volunteer_module:
        raise missing("resource")
    return call.organization.destination


def _opportunity(call: Call) -> Fields:
    return find(_module(call).opportunities, call.number("id"))


def _volunteer(call: Call) -> Fields:
    row = find(call.organization.destination.volunteers, call.number("vid"))
    if row["volunteerOpportunityId"] != _opportunity(call)["id"]:
        raise missing("volunteer")
    return row


def _attendance(call: Call) -> Fields:
    row = find(_module(call).attendances, call.number("aid"))
    if row["volunteerOpportunityId"] != _opportunity(call)["id"]:
        raise missing("attendance")
    return row


def _contact_of(call: Call, attendance: Fields) -> Contact:
    destination = call.organization.destination
    return destination.contacts[destination.volunteers[attendance["volunteerId"]]["contactId"]]
