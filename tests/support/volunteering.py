"""Projects, dates and participations at a destination that is a real sandbox, without the processor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from common.domain.canonical import Canonical
from common.domain.clock import Clock, SystemClock
from common.domain.entities import EntityKey
from common.domain.participations import Participation, base_id
from common.domain.projects import Project, ProjectDate
from common.domain.resources import PARTICIPATIONS, PROJECT_DATES, PROJECTS, USERS
from common.domain.writes import Answer, Applied, Found, Link, Write
from common.storage.memory.references import MemoryReferenceCache
from deploy.sandbox.client import Access, SandboxAdmin
from processor.destinations.registry import DESTINATIONS
from support.builders import a_customer, a_person
from support.clients import an_api

#: A date that is over for longer than hours need to settle.
STARTS, ENDS = "2025-11-03T15:00:00+00:00", "2025-11-03T19:00:00+00:00"


def a_date(**changes: Any) -> ProjectDate:
    base = {
        "project_id": "701", "project_name": "Quonox Pantry", "starts_at": STARTS, "ends_at": ENDS,
        "description": "Sort tins.", "time_zone": "America/Chicago", "address": "12 Main St, Plano, TX 75074, USA",
    }  # fmt: skip
    return ProjectDate(**{**base, **changes})


def an_anytime_project(**changes: Any) -> Project:
    return Project(**{"name": "Fenmar Phone Line", "anytime": True, "time_zone": "America/Chicago", **changes})


def a_participation(**changes: Any) -> Participation:
    base = {"user_id": "1", "project_id": "701", "project_date_id": "1011", "role": "Volunteer"}
    return Participation(**{**base, **changes})


def attended(hours: str = "4.00", **changes: Any) -> Participation:
    return a_participation(**{"hours": hours, "checked_in_at": STARTS, "checked_out_at": ENDS, **changes})


class Volunteering:
    """One destination bound to one organization. Links are kept, as the processor would."""

    def __init__(
        self, access: Access, transport: httpx.Client, sandbox: SandboxAdmin, *, clock: Clock | None = None,
        deadline_seconds: float = 2.0, **settings: Any,
    ) -> None:  # fmt: skip
        self.access, self.sandbox = access, sandbox
        self.clock = clock or SystemClock()
        self.references = MemoryReferenceCache()
        api = an_api(
            access.crm_base_url, access.crm_token, transport=transport, deadline_seconds=deadline_seconds,
            customer_id=access.name, clock=self.clock,
        )  # fmt: skip
        base = {"create": "direct", "visibility_seconds": 0, **settings}
        customer = a_customer(access.name, destination="crm_plus", destination_settings=base)
        self.destination = DESTINATIONS["crm_plus"].open(api, customer, self.clock, self.references)
        self.links: dict[EntityKey, Link] = {}
        self._transport = transport

    def key(self, resource: str, source_id: str) -> EntityKey:
        return EntityKey(customer_id=self.access.name, resource=resource, source_id=source_id)

    def write(self, resource: str, source_id: str, desired: Canonical, **changes: Any) -> Write:
        entity = self.key(resource, source_id)
        base = {
            "write_id": f"w-{resource}-{source_id}", "entity": entity, "event_id": 1, "version": 1,
            "desired": desired, "mapped_hash": "hash", "link": self.links.get(entity),
        }  # fmt: skip
        return Write(**{**base, **changes})

    def participation(self, source_id: str, desired: Participation, **changes: Any) -> Write:
        """With the parents that its handler asks for."""
        place = (PROJECT_DATES, desired.project_date_id) if desired.project_date_id else (PROJECTS, desired.project_id)
        wanted = [(USERS, desired.user_id), place]
        if base_id(source_id) != source_id:
            wanted.append((PARTICIPATIONS, base_id(source_id)))
        keys = [self.key(*each) for each in wanted]
        parents = {} if changes.get("is_removal") else {key: self.links[key] for key in keys}
        return self.write(PARTICIPATIONS, source_id, desired, parents=parents, **changes)

    def apply(self, *writes: Write) -> list[Answer]:
        for write in writes:
            self.destination.check(write)
        answers = list(self.destination.apply(writes))
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, Applied):
                self.link(write.entity, answer.destination_id, answer.details)
        return answers

    def link(self, entity: EntityKey, destination_id: str, details: Mapping[str, Any]) -> Link:
        self.links[entity] = Link(entity=entity, destination_id=destination_id, details=dict(details))
        return self.links[entity]

    def found(self, write: Write) -> Found | None:
        return self.destination.look([write], datetime.now(tz=UTC)).get(write.entity)

    def person(self, source_id: str = "1") -> Link:
        """Somebody who is there already."""
        person = a_person(email=f"p{source_id}@example.org")
        self.apply(self.write(USERS, source_id, person))
        return self.links[self.key(USERS, source_id)]

    def date(self, source_id: str = "1011", desired: ProjectDate | None = None) -> Link:
        self.apply(self.write(PROJECT_DATES, source_id, desired or a_date()))
        return self.links[self.key(PROJECT_DATES, source_id)]

    def take_part(self, source_id: str, desired: Participation, **changes: Any) -> Answer:
        (answer,) = self.apply(self.participation(source_id, desired, **changes))
        return answer

    def staff(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """What people of the organization do at CRM+ by themselves."""
        url, headers = f"{self.access.crm_base_url}{path}", {"Authorization": f"Bearer {self.access.crm_token}"}
        return self._transport.request(method, url, json=dict(body), headers=headers).raise_for_status().json()

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.add_faults({"kind": kind, "organization": self.access.name, "system": "crm", **more})

    def shown(self, what: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.sandbox.export(self.access.name)["destination"][what]
        return rows

    def hours(self) -> list[float]:
        return sorted(float(row["hours"]) for row in self.shown("attendances"))

    def mark(self) -> int:
        return max((int(row["seq"]) for row in self.sandbox.journal()), default=0)

    def requests(self, after: int = 0) -> Counter[str]:
        """How often each route was asked since."""
        rows = [row for row in self.sandbox.journal(after=after) if row["organization"] == self.access.name]
        asked = [row for row in rows if row["system"] == "crm" and row["method"] != "IMPORT"]
        return Counter(f"{row['method']} {row['route']}" for row in asked)
