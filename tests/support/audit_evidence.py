"""Evidence of a faultless synchronisation, made by the sandbox's own code under a clock that stands still."""

import json
from datetime import UTC, datetime

from deploy.audit.run import judge
from deploy.sandbox.clock import ManualClock
from deploy.sandbox.crm.destination import Held
from deploy.sandbox.crm.imports import run_due
from deploy.sandbox.export import export_world
from deploy.sandbox.organization import moment
from deploy.sandbox.world import World

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
GENDERS = {"M": "Male", "F": "Female", "N": "Other"}
SOURCE = "Syncfleet"


class Evidence:
    """Export and journal as JSON, to be tampered with."""

    def __init__(self, made: World) -> None:
        self.export = json.loads(json.dumps(export_world(made)))
        self.journal = [json.loads(json.dumps(entry.as_json())) for entry in made.journal.after(0, None)]

    def destination(self, name="acme"):
        return self.export["organizations"][name]["destination"]

    def source(self, name="acme"):
        return self.export["organizations"][name]["source"]

    def judged(self, **options):
        return judge(self.export, self.journal, **{"only_people": True, **options})

    def request(self, system="crm", **values):
        """Adds a request that set nothing."""
        row = {
            "seq": len(self.journal) + 1, "started_at": START.timestamp(), "system": system, "organization": "acme",
            "method": "GET", "route": "", "path": "", "query": "", "finished_at": START.timestamp(), "status": 200,
            "fault": None, "applied": True, "contact_ids": [], "references": [], "writes": [], "record_ids": [],
        }  # fmt: skip
        self.journal.append({**row, **values})
        return self.journal[-1]


def new_world(users=6):
    made = World(seed=7, clock=ManualClock(START))
    for name in ("acme", "brook"):
        made.create_organization(name, {"users": users, "import_mode": "at_once"})
    return made


def synchronise(made, name="acme"):
    """Every user of an organization as one import sets it."""
    organization = made.organizations[name]
    made.clock.advance(1)
    for user in organization.source.directory:
        organization.destination.held.append(Held(1, made.clock.now(), SOURCE, item_of(user)))
    made.clock.advance(1)
    run_due(organization, made.journal, made.clock.now())


def item_of(user):
    values = user.values
    year, month, day = (int(piece) for piece in values["birthday"].split("-"))
    return {
        "referenceId": str(user.id),
        "contactType": "Household",
        "firstName": values["first_name"],
        "lastName": values["last_name"],
        "email": values["email"],
        "phone": values["phone"],
        **(user.address_parts or {}),
        "gender": GENDERS[values["gender"]],
        "birthYear": year,
        "birthMonth": month,
        "birthDay": day,
    }


def change(made, user_id, name="acme", **values):
    organization = made.organizations[name]
    user = organization.source.directory.get(user_id)
    organization.source.change(user, values, moment(made.clock), kind="change")


def clean_world():
    """Both organizations in step; one user of acme has had two phone numbers, and each was carried over."""
    made = new_world()
    synchronise(made)
    synchronise(made, "brook")
    for number in ("555-100", "555-200"):
        change(made, first_user(made), phone=number)
        synchronise(made)
    return made


def first_user(made, name="acme"):
    return min(user.id for user in made.organizations[name].source.directory)
