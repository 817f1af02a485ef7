"""The whole truth about an organization, for a test to compare against."""

from dataclasses import asdict
from typing import Any

from deploy.sandbox.crm.destination import Held
from deploy.sandbox.crm.proving import contact_row
from deploy.sandbox.organization import Organization
from deploy.sandbox.world import World


def export_world(world: World) -> dict[str, Any]:
    return {"organizations": {name: export_organization(row) for name, row in world.organizations.items()}}


def export_organization(organization: Organization) -> dict[str, Any]:
    return {
        "settings": asdict(organization.settings),
        "canary": organization.canary,
        "source": _source(organization),
        "destination": _destination(organization),
        "proofs": organization.proofs.as_json(),
    }


def _source(organization: Organization) -> dict[str, Any]:
    source = organization.source
    return {
        "users": {user.id: user.as_json() for user in source.directory},
        "participations": source.attendance.exported(),
        "projects": list(source.projects.values()),
        "dates": list(source.dates.values()),
        "groups": list(source.groups.values()),
        "campaigns": list(source.campaigns.values()),
        "organizations": list(source.organizations.values()),
        "forms": list(source.forms.values()),
        "completions": list(source.completions.values()),
        "certificates": list(source.certificates.values()),
        "earned": source.earned.listing(),
        "history": source.history,
        "deleted": source.deleted,
        "changes": source.changes.entries,
        "seals": {"history": source.history_chain.as_json(), "changes": source.changes.chain.as_json()},
    }


def _destination(organization: Organization) -> dict[str, Any]:
    destination = organization.destination
    return {
        "contacts": [contact_row(contact) for contact in destination.contacts.values()],
        "held": [_held(held) for held in destination.held],
        "contact_tags": list(destination.contact_tags.values()),
        "tags": [{"id": tag_id, "tagName": name} for tag_id, name in destination.tags.items()],
        "notes": list(destination.notes.values()),
        "opportunities": list(destination.opportunities.values()),
        "volunteers": list(destination.volunteers.values()),
        "attendances": list(destination.attendances.values()),
        "transaction_attendances": destination.transaction_attendances,
        "held_gifts": [_held(held) for held in destination.held_gifts],
        "gifts": list(destination.gifts.values()),
        "projects": list(destination.projects.values()),
        "custom_fields": destination.custom_fields,
    }


def _held(held: Held) -> dict[str, Any]:
    at = held.submitted_at.timestamp()
    return {"submission": held.submission, "at": at, "source": held.source, "item": held.item, "status": held.status}
