"""Removals of participations come without the links of what they hang on; it is found by our keys instead.

Needed only where a participation went at the source while it was not known what had become of its sign-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from common.domain.entities import EntityKey
from common.domain.resources import PROJECT_DATES, PROJECTS, USERS
from common.domain.writes import Link, Write
from processor.destinations.crm_plus import beside
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.module import VolunteerModule, virtual_id
from processor.destinations.crm_plus.opportunities import with_our_keys
from processor.destinations.crm_plus.reading import NOT_FOUND, one_row

CONTACT = "/api/Contact/{source}/{id}"


class Orphans:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._module = VolunteerModule(account)

    def with_parents(self, writes: Sequence[Write]) -> list[Write]:
        """The same writes, each with as much as is there of what it hangs on."""
        orphans = [write for write in writes if write.link is None and beside.place(write) is None]
        places = self._places(orphans) if orphans else {}
        return [self._adopted(write, places) if write in orphans else write for write in writes]

    def _places(self, orphans: Sequence[Write]) -> Mapping[EntityKey, Link]:
        wanted = list({_place(write) for write in orphans})
        if not self._module.is_there():
            return {entity: Link(entity=entity, destination_id=virtual_id("")) for entity in wanted}
        found = with_our_keys(self._account.api, wanted, self._account.settings.reference_source)
        return {entity: Link(entity=entity, destination_id=str(row["id"])) for entity, row in found.items()}

    def _adopted(self, write: Write, places: Mapping[EntityKey, Link]) -> Write:
        place = places.get(_place(write))
        if place is None:
            return write
        person = self._person(_beside(write, USERS, beside.participation(write).user_id))
        return replace(write, parents={place.entity: place, **({person.entity: person} if person else {})})

    def _person(self, entity: EntityKey) -> Link | None:
        names = {"source": self._account.settings.reference_source, "id": entity.source_id}
        answer = self._account.api.read(CONTACT, names=names, accept=(NOT_FOUND,))
        if answer.status == NOT_FOUND:
            return None
        contact = one_row(answer.json(), f"GET {CONTACT}")
        individual = contacts.our_individual(contact)
        details = {"individual_id": str(individual["id"])} if individual else {}
        return Link(entity=entity, destination_id=contacts.contact_id(contact), details=details)


def _place(write: Write) -> EntityKey:
    row = beside.participation(write)
    if row.project_date_id:
        return _beside(write, PROJECT_DATES, row.project_date_id)
    return _beside(write, PROJECTS, row.project_id)


def _beside(write: Write, resource: str, source_id: str) -> EntityKey:
    return EntityKey(customer_id=write.entity.customer_id, resource=resource, source_id=source_id)
