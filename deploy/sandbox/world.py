"""Everything in one sandbox: the organizations, and what is shared between them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from random import Random
from typing import Any

from deploy.sandbox.clock import Clock
from deploy.sandbox.crm.imports import run_due
from deploy.sandbox.crm.proving import records
from deploy.sandbox.edits import EditStream
from deploy.sandbox.faults import Faults
from deploy.sandbox.journal import Journal
from deploy.sandbox.organization import Organization, found
from deploy.sandbox.settings import default_settings, revise


class NameTakenError(ValueError):
    """Raised when an organization of that name exists already."""


class World:
    """The state of a sandbox; nothing in it depends on more than the seed, the clock and the requests."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self.seed = seed
        self.clock = clock
        self.journal = Journal()
        self.faults = Faults(self.generator("faults"))
        self.organizations: dict[str, Organization] = {}
        self.edits: EditStream | None = None
        #: Requests by organization and system, counted at the gate: beside the journal, so that they must agree.
        self.arrivals: Counter[tuple[str, str]] = Counter()
        self._by_volunteer_token: dict[str, Organization] = {}
        self._by_crm_token: dict[str, Organization] = {}

    def generator(self, purpose: str) -> Random:
        """A generator of its own for a purpose, so that draws for one do not shift those for another."""
        return Random(f"{self.seed}:{purpose}")  # noqa: S311 - nothing here is secret

    def create_organization(self, name: str, options: Mapping[str, Any]) -> Organization:
        if name in self.organizations:
            raise NameTakenError(f"organization {name!r} exists already")
        settings = revise(default_settings(self.generator(f"settings:{name}")), options)
        random, extra = (self.generator(f"{purpose}:{name}") for purpose in ("organization", "extras"))
        organization = found(name, settings, random, extra, self.clock)
        organization.proofs.renew(records(organization.destination))
        self.organizations[name] = organization
        self._by_volunteer_token[organization.volunteer_token] = organization
        self._by_crm_token[organization.crm_token] = organization
        return organization

    def by_volunteer_token(self, token: str) -> Organization | None:
        return self._by_volunteer_token.get(token)

    def by_crm_token(self, token: str) -> Organization | None:
        return self._by_crm_token.get(token)

    def sealed(self) -> dict[str, Any]:
        """What the journal must add up to, by organization and system, and the seal over it."""
        arrivals: dict[str, dict[str, int]] = defaultdict(dict)
        for (name, system), count in self.arrivals.items():
            arrivals[name][system] = count
        return {**self.journal.sealed(), "arrivals": arrivals}

    def tick(self) -> None:
        """Does what has become due: imports, and edits of a running stream."""
        for organization in self.organizations.values():
            run_due(organization, self.journal, self.clock.now())
        if self.edits:
            self.edits.tick()
