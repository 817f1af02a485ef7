"""All of a nonprofit's account into all of its CRM: read, edited meanwhile, delivered, and judged by the auditor.

One worker in this process, so that what fails, fails in the same order again.
"""

import time

import pytest

from deploy.audit.run import judge
from deploy.demo.plan import EDIT_WEIGHTS, SCAN_SETTINGS

#: How the two systems behave, beside an organization without peculiarities.
HABITS = {
    "plain": {"volunteer_module": True},
    "bulk": {"volunteer_module": True, "bulk_endpoints": True, "timestamp_style": "mixed", "id_style": "string"},
    "held": {
        "volunteer_module": True,
        "import_mode": "delayed",
        "import_delay_seconds": 0.5,
        "next_style": "text",
        "error_shape": "flat",
    },
    "without module": {"volunteer_module": False, "meta_style": "string"},
}
PEOPLE = 24
#: What an import has brought in cannot be changed by us.
FOR_A_PERSON = {"hours_changed_after_import"}
EDITS, EDITS_PER_SECOND, SEED = 120, 60, 11
ALWAYS = dict.fromkeys(SCAN_SETTINGS, 0)


class Account:
    """One customer on a hub, and its organization in the sandbox."""

    def __init__(self, hub, sandbox, access):
        self.hub, self.sandbox, self.access = hub, sandbox, access

    def turn(self):
        self.hub.poll_all(self.access.name)
        self.hub.deliver_all(self.access.name)

    def findings(self):
        export = self.sandbox.export()
        export["organizations"] = {self.access.name: export["organizations"][self.access.name]}
        journal = list(self.sandbox.journal())
        own = [f for f in judge(export, journal).findings if f.organization == self.access.name]
        return [f"{f.kind} {f.entity_id} {f.field}: {f.explanation}" for f in own]

    def letters(self):
        return {letter.reason for letter in self.hub.dead_letters.list(self.access.name)}

    def until_level(self, seconds=40):
        deadline = time.monotonic() + seconds
        while True:
            self.turn()
            if not self.findings() or time.monotonic() > deadline:
                return


@pytest.fixture(params=list(HABITS))
def account(request, hub, sandbox, organization):
    access = organization(users=PEOPLE, **HABITS[request.param])
    hub.onboard(access, source_settings=ALWAYS)
    sandbox.create_tags(access.name)
    return Account(hub, sandbox, access)


def test_everything_arrives_and_what_is_edited_meanwhile_too(account):
    account.until_level()
    assert account.findings() == []
    account.sandbox.start_edits(
        seconds=EDITS / EDITS_PER_SECOND, per_second=EDITS_PER_SECOND, seed=SEED, weights=EDIT_WEIGHTS,
        organizations=[account.access.name],
    )  # fmt: skip
    while account.sandbox.edits()["running"]:
        account.turn()

    account.until_level()
    assert account.findings() == []
    assert account.letters() <= FOR_A_PERSON
