"""Projects, which are funds: what a gift is designated to. They are read here, and made by staff."""

from collections.abc import Mapping
from typing import Any

from deploy.sandbox.crm.access import find, listing, missing
from deploy.sandbox.crm.conditions import Parameter, compiled
from deploy.sandbox.crm.destination import Destination, Fields, normal
from deploy.sandbox.crm.validation import require_object
from deploy.sandbox.exchange import Call, Reply

#: Under which names a designation says its project, by what they are compared with.
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "projectId"),
    "projectCode": ("code", "projectCode"),
    "name": ("name", "project"),
}
PARAMETERS: Mapping[str, Parameter] = {
    "Project Id": Parameter("Int", lambda row: row["id"]),
    "Project Name": Parameter("String", lambda row: [normal(row["name"])]),
    "Project Code": Parameter("String", lambda row: [normal(row["projectCode"])]),
    "Active": Parameter("Boolean", lambda row: row["isActive"]),
}


def show_project(call: Call) -> Reply:
    return Reply(payload=find(call.organization.destination.projects, call.number("id")))


def show_project_by_code(call: Call) -> Reply:
    rows = call.organization.destination.projects.values()
    found = next((row for row in rows if row["projectCode"] == call.parameters["code"]), None)
    if found is None:
        raise missing("project")
    return Reply(payload=found)


def query_projects(call: Call) -> Reply:
    matches = compiled(require_object(call.body or {}), PARAMETERS)
    return listing(call, [row for row in call.organization.destination.projects.values() if matches(row)])


def designations_of(given: Fields) -> object:
    """Under either of the two names that the documentation uses."""
    return given.get("designations") or given.get("giftDesignations")


def project_of(destination: Destination, designation: Fields) -> Fields | None:
    """By id, else by code, else by name: the first that is given decides."""
    for key, names in NAMES.items():
        given = next((designation[name] for name in names if designation.get(name) not in (None, "")), None)
        if given is not None:
            return next((row for row in destination.projects.values() if str(row[key]) == str(given)), None)
    return None


def designated(destination: Destination, given: Fields) -> list[tuple[Fields, Any]]:
    """The projects and amounts of checked designations."""
    rows = designations_of(given)
    found = [(project_of(destination, row), row["amountDesignated"]) for row in rows] if isinstance(rows, list) else []
    return [(project, amount) for project, amount in found if project is not None]
