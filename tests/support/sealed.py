"""Sealed evidence of a small synchronisation through the sandbox's own gate, without a socket, to be tampered with."""

from __future__ import annotations

import asyncio
import copy
import json

import httpx

from deploy.audit.reading import Evidence
from deploy.audit.seals import digest
from deploy.sandbox.application import build_app
from deploy.sandbox.clock import ManualClock
from deploy.sandbox.crm.imports import run_due
from deploy.sandbox.world import World
from support.audit_evidence import SOURCE, START, item_of

HOST = "http://sandbox"


class Desk:
    """A client of one organization, by its own addresses and with its own tokens."""

    def __init__(self, made, name):
        self.made, self.name, self.organization = made, name, made.organizations[name]
        self.app = build_app(made)

    def crm(self, method, path, body=None, *, token=None):
        return self.send(method, f"/of/{self.name}/crm{path}", token or self.organization.crm_token, body)

    def volunteer(self, path, *, token=None):
        return self.send("GET", f"/of/{self.name}/volunteer/v1{path}", token or self.organization.volunteer_token)

    def staff(self, method, path, body=None):
        return self.send(method, f"/admin/organizations/{self.name}{path}", "", body)

    def send(self, method, path, token, body=None):
        self.made.clock.advance(1)

        async def once():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

        answer = asyncio.run(once())
        answer.raise_for_status()
        return answer.json() if answer.content else None


def new_world():
    made = World(seed=7, clock=ManualClock(START))
    for name in ("acme", "brook"):
        made.create_organization(name, {"users": 3, "import_mode": "at_once", "volunteer_module": True})
    return made


def synchronise(desk):
    """Everybody by one import, and one record of each other kind for the first."""
    users = desk.volunteer("/users")["data"]
    batch = {"referenceSource": SOURCE, "contacts": [item_of(user) for user in desk.organization.source.directory]}
    desk.crm("POST", "/api/Contact/Batch", batch)
    desk.made.clock.advance(1)
    run_due(desk.organization, desk.made.journal, desk.made.clock.now())
    contact = desk.crm("GET", f"/api/Contact/{SOURCE}/{users[0]['id']}")
    contact_id, person = contact["id"], contact["contactIndividuals"][0]
    desk.crm("POST", "/api/ContactNote", {"contactId": contact_id, "type": "General", "note": "Came early."})
    tag = desk.crm("POST", "/api/Tag/Search", {})["list"][0]
    desk.crm("POST", "/api/ContactTag", {"contactId": contact_id, "tagId": tag["id"]})
    starts = {"startDateTime": "2026-02-01T10:00:00", "endDateTime": "2026-02-01T12:00:00", "timeZone": "UTC"}
    row = desk.crm("POST", "/api/VolunteerOpportunity", {"name": "Kitchen", **starts, "isActive": True})
    place = f"/api/VolunteerOpportunity/{row['id']}/Volunteers"
    signed = desk.crm("POST", place, {"contactIndividualId": person["id"]})
    hours = {"hours": "2.00", "startDateTimeUtc": "2026-02-01T10:00:00Z", "endDateTimeUtc": "2026-02-01T12:00:00Z"}
    desk.crm("POST", f"{place}/{signed['id']}/Attendance", {**hours, "timeZone": "UTC"})
    desk.staff("PATCH", f"/contacts/{contact_id}", {"phone": "555-0000"})
    return contact_id


def evidence_of(made):
    """As `/admin/evidence` gives it."""
    desk = Desk(made, "acme")
    return Evidence(**json.loads(json.dumps(desk.send("GET", "/admin/evidence", ""))))


def copy_of(evidence):
    return Evidence(*copy.deepcopy(tuple(evidence)))


def renumber(journal):
    for number, row in enumerate(journal, 1):
        row["seq"] = number


def reseal(evidence):
    """As somebody would who knows how the journal is chained, and forgets what is kept beside it."""
    before = ""
    for number, row in enumerate(evidence.journal, 1):
        row["closed"] = number
        before = row["seal"] = digest({name: value for name, value in row.items() if name != "seal"}, before)
    evidence.seal.update(entries=len(evidence.journal), count=len(evidence.journal), seal=before)
