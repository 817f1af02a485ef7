"""Groups, campaigns, organizations and certificates: simple lists, served from the same seeded state."""

from collections.abc import Mapping
from typing import Any

from deploy.sandbox.exchange import Call, Refusal, Reply
from deploy.sandbox.volunteer.changes import Row
from deploy.sandbox.volunteer.paging import page, single
from deploy.sandbox.volunteer.spelling import Spelling, visible
from deploy.sandbox.volunteer.users import user_row


def list_groups(call: Call) -> Reply:
    """Every group, or those below one: `parent_id` is the only filter that was ever seen."""
    rows = list(call.organization.source.groups.values())
    if parent := call.query.get("parent_id"):
        rows = [row for row in rows if str(row.get("parent_id")) == parent]
    return page(call, rows, lambda row: group_row(row, call))


def show_group(call: Call) -> Reply:
    return single(group_row(_find(call.organization.source.groups, call.number("id")), call))


def list_members(call: Call) -> Reply:
    """The users of a group; a deleted user has vanished from it too."""
    group = _find(call.organization.source.groups, call.number("id"))
    found = [call.organization.source.directory.get(user_id) for user_id in group["members"]]
    spelling = Spelling(call.organization.settings)
    return page(call, [user for user in found if user], lambda user: user_row(user, spelling))


def list_campaigns(call: Call) -> Reply:
    return page(call, list(call.organization.source.campaigns.values()), lambda row: campaign_row(row, call))


def show_campaign(call: Call) -> Reply:
    return single(campaign_row(_find(call.organization.source.campaigns, call.number("id")), call))


def list_organizations(call: Call) -> Reply:
    return page(call, _organizations(call), lambda row: row)


def show_organization(call: Call) -> Reply:
    rows = {int(row["id"]): row for row in _organizations(call)}
    return single(_find(rows, call.number("id")))


def list_certificates(call: Call) -> Reply:
    """Definitions only: who earned one is shown nowhere."""
    return page(
        call, list(call.organization.source.certificates.values()), lambda row: visible(row, stamped(row, call))
    )


def group_row(row: Row, call: Call) -> dict[str, Any]:
    """A group, which unlike the other resources has no type."""
    parents = {group.get("parent_id") for group in call.organization.source.groups.values()}
    shown = {name: value for name, value in stamped(row, call).items() if name != "members"}
    return visible(row, {**shown, "has_subgroups": row["id"] in parents})


def campaign_row(row: Row, call: Call) -> dict[str, Any]:
    shown = stamped(row, call)
    shown["campaign_name"] = shown.pop("name", None)
    return visible(row, {"type": "campaign", **shown, "organization": call.organization.name})


def stamped(row: Row, call: Call) -> dict[str, Any]:
    """A row with its id and timestamps spelled in the organization's way."""
    spelling = Spelling(call.organization.settings)
    stamps = {name: spelling.stamp(value, row["id"]) for name, value in row.items() if name.endswith("ed_at")}
    return {**row, "id": spelling.id(row["id"]), **stamps}


def _organizations(call: Call) -> list[dict[str, Any]]:
    spelling = Spelling(call.organization.settings)
    rows = call.organization.source.organizations.values()
    ids = ("id", "parent_id")
    return [{"type": "organization", **row, **{name: spelling.id(row[name]) for name in ids}} for row in rows]


def _find(rows: Mapping[int, Row], row_id: int) -> Row:
    if row_id not in rows:
        raise Refusal(404, "NOT_FOUND", "Resource not found.")
    return rows[row_id]
