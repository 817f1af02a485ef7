"""Who signed up for a volunteer opportunity; nothing keeps one from signing up twice."""

from deploy.sandbox.crm.access import find, individual_in, integer, listing, missing, owner
from deploy.sandbox.crm.destination import Fields, normal
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.opportunities import delay_index, indexed, module, opportunity_at
from deploy.sandbox.crm.validation import flaw, refuse_invalid, require_object
from deploy.sandbox.exchange import Call, Refusal, Reply

#: What a search can be narrowed by, and the property of a sign-up that it means.
NARROWED = {
    "volunteerOpportunityId": "volunteerOpportunityId",
    "volunteerId": "id",
    "contactId": "contactId",
    "contactIndividualId": "contactIndividualId",
}


def volunteer_at(call: Call) -> Fields:
    """The sign-up in the path."""
    row = find(module(call).volunteers, call.number("vid"))
    if row["volunteerOpportunityId"] != opportunity_at(call)["id"]:
        raise missing("volunteer")
    return row


def list_volunteers(call: Call) -> Reply:
    opportunity = opportunity_at(call)
    rows = call.organization.destination.volunteers.values()
    return listing(call, [row for row in rows if row["volunteerOpportunityId"] == opportunity["id"]])


def create_volunteer(call: Call) -> Reply:
    """Signs a person up, unless the opportunity is over."""
    opportunity, destination = opportunity_at(call), call.organization.destination
    individual = individual_in(call, require_object(call.body))
    if not opportunity["isActive"]:
        refuse_invalid([flaw("volunteerOpportunityId", "is not active.")], call.organization.settings)
    row = {
        "id": next(destination.row_ids),
        "volunteerOpportunityId": opportunity["id"],
        "contactId": individual.contact_id,
        "contactIndividualId": individual.id,
    }
    destination.volunteers[row["id"]] = row
    delay_index(call, row["id"])
    _note(call, row, "volunteer", created=True)
    return Reply(payload=row)


def show_volunteer(call: Call) -> Reply:
    return Reply(payload=volunteer_at(call))


def remove_volunteer(call: Call) -> Reply:
    """Only while there are no hours."""
    destination, row = call.organization.destination, volunteer_at(call)
    if any(each["volunteerId"] == row["id"] for each in destination.attendances.values()):
        raise Refusal(409, "CONFLICT", "The volunteer has attendances.")
    del destination.volunteers[row["id"]]
    _note(call, row, "remove_volunteer", created=False)
    return Reply()


def search_volunteers(call: Call) -> Reply:
    """Sign-ups that match every given id, and the e-mail address if there is one; a new one is missed for a while."""
    wanted = {NARROWED[name]: integer(dict(call.query), name) for name in NARROWED if name in call.query}
    rows = indexed(call, list(module(call).volunteers.values()))
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    if email := call.query.get("emailAddress"):
        people = {individual.id for individual in call.organization.destination.with_email(normal(email))}
        found = [row for row in found if row["contactIndividualId"] in people]
    return listing(call, found)


def _note(call: Call, row: Fields, action: str, *, created: bool) -> None:
    individual = call.organization.destination.individuals.get(row["contactIndividualId"])
    contact = owner(call, individual) if individual else call.organization.destination.contacts[row["contactId"]]
    ids = {"volunteer_id": row["id"], "opportunity_id": row["volunteerOpportunityId"]}
    more = {**ids, "individual_id": row["contactIndividualId"]}
    note(call.entry, contact, action, {}, call.now, record="volunteer", record_id=row["id"], created=created, **more)
