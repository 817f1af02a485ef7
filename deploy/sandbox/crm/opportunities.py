"""Volunteer opportunities: the first half of a module that many organizations lack."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.sandbox.crm.access import find, listing, missing
from deploy.sandbox.crm.conditions import Parameter, compiled, options_of
from deploy.sandbox.crm.custom_fields import (
    invalid_custom_fields,
    merge_custom_fields,
    unknown_custom_fields,
    warned,
)
from deploy.sandbox.crm.destination import Destination, Fields, normal
from deploy.sandbox.crm.noting import note
from deploy.sandbox.crm.validation import (
    filled,
    invalid_span,
    readable_time,
    refuse_invalid,
    require_object,
    required,
)
from deploy.sandbox.exchange import Call, Details, Refusal, Reply

#: What an opportunity keeps of what it is sent.
PROPERTIES = (
    "name", "startDateTime", "endDateTime", "timeZone", "preferredNumberOfHours", "projectId", "locationName",
    "address1", "address2", "city", "state", "postal", "country", "description", "isActive", "isLocalOnly",
    "preferredDateTime", "currentNeed", "currentPriority",
)  # fmt: skip
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
PARAMETERS: Mapping[str, Parameter] = {
    "Id": Parameter("Int", lambda row: row["id"]),
    "Name": Parameter("String", lambda row: [normal(row["name"])]),
    "Description": Parameter("String", lambda row: [normal(row.get("description") or "")]),
    "Start Date": Parameter("Date", lambda row: _instant(row.get("startDateTime"))),
    "Is Active": Parameter("Boolean", lambda row: row["isActive"]),
}


def module(call: Call) -> Destination:
    """The destination, where the organization has the module."""
    if not call.organization.settings.volunteer_module:
        raise missing("resource")
    return call.organization.destination


def opportunity_at(call: Call) -> Fields:
    """The opportunity in the path."""
    return find(module(call).opportunities, call.number("id"))


def indexed(call: Call, rows: list[Fields]) -> list[Fields]:
    """Those that a search finds already: right after its creation a row is missed."""
    visible_at = call.organization.destination.visible_at
    return [row for row in rows if visible_at.get(row["id"], call.now) <= call.now]


def delay_index(call: Call, row_id: int) -> None:
    lag = timedelta(seconds=call.organization.settings.index_lag_seconds)
    call.organization.destination.visible_at[row_id] = call.now + lag


def list_opportunities(call: Call) -> Reply:
    return listing(call, indexed(call, list(module(call).opportunities.values())))


def query_opportunities(call: Call) -> Reply:
    rows = indexed(call, list(module(call).opportunities.values()))
    matches = compiled(require_object(call.body or {}), PARAMETERS)
    return listing(call, [row for row in rows if matches(row)])


def list_options(call: Call) -> Reply:
    module(call)
    return Reply(payload={"options": options_of(PARAMETERS), "sortOptions": ["Id"]})


def create_opportunity(call: Call) -> Reply:
    destination, body = module(call), require_object(call.body)
    refuse_invalid(_invalid(destination, body), call.organization.settings)
    row: Fields = {"id": next(destination.row_ids), "isActive": True, "customFields": []}
    destination.opportunities[row["id"]] = row
    delay_index(call, row["id"])
    return _settled(call, row, body, created=True)


def show_opportunity(call: Call) -> Reply:
    return Reply(payload=opportunity_at(call))


def change_opportunity(call: Call) -> Reply:
    """Sets what is given and keeps the rest, which must make sense together."""
    row, body = opportunity_at(call), require_object(call.body)
    refuse_invalid(_invalid(module(call), {**row, **body}), call.organization.settings)
    return _settled(call, row, body, created=False)


def remove_opportunity(call: Call) -> Reply:
    """Only while nobody has signed up."""
    destination, row = module(call), opportunity_at(call)
    if any(each["volunteerOpportunityId"] == row["id"] for each in destination.volunteers.values()):
        raise Refusal(409, "CONFLICT", "The opportunity has volunteers.")
    del destination.opportunities[row["id"]]
    _note(call, row, "remove_opportunity", {}, created=False)
    return Reply()


def _settled(call: Call, row: Fields, body: Fields, *, created: bool) -> Reply:
    destination, given = module(call), body.get("customFields")
    row.update({name: body[name] for name in PROPERTIES if name in body})
    row["isActive"] = row["isActive"] is not False
    merge_custom_fields(destination, "VolunteerOpportunity", row, given)
    _note(call, row, "opportunity", body, created=created)
    return Reply(payload=warned(row, unknown_custom_fields(destination, "VolunteerOpportunity", given)))


def _note(call: Call, row: Fields, action: str, given: Mapping[str, Any], *, created: bool) -> None:
    ids = {"record_id": row["id"], "opportunity_id": row["id"]}
    note(call.entry, None, action, given, call.now, record="opportunity", created=created, **ids)


def _invalid(destination: Destination, body: Fields) -> Details:
    details = [] if filled(body.get("name")) else [required("name")]
    details += invalid_span(body, "startDateTime", "endDateTime")
    return details + invalid_custom_fields(destination, "VolunteerOpportunity", body.get("customFields"))


def _instant(value: object) -> datetime:
    """A local time is compared as it stands."""
    instant = readable_time(value) or LONG_AGO
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
