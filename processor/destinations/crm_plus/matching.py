"""Who is there already, at first sight: the ladder of the vendor's own integration (facts: crm-api 4.8).

A known link (then nobody is asked), our reference, an e-mail address that an individual has, the same address and last
name, and else somebody new. Where contacts are created through the import, the import itself climbs the first rungs, so
only what it cannot be left to is told: several contacts with the address, one of another type than the import must
name, and a household that the person belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.domain.entities import EntityKey
from common.domain.people import Person
from common.domain.writes import Matched, NeedsReview, Review, ReviewKind, Write
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.contacts_read import ContactsRead, Row, contact_in
from processor.destinations.crm_plus.payloads import address_fields
from processor.destinations.crm_plus.reading import NOT_FOUND

BY_REFERENCE = "/api/Contact/{source}/{id}"


class Ladder:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._api = account.api
        self._settings = account.settings
        self._contacts = ContactsRead(account)

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        """One query for all; one more request each where nothing else finds a reference."""
        if self._settings.match == "off":
            return {}
        people = [(write, write.desired) for write in writes if isinstance(write.desired, Person)]
        rows = self._contacts.alike([person for _, person in people])
        found = {write.entity: self._found(write, person, rows) for write, person in people}
        return {entity: match for entity, match in found.items() if match is not None}

    def _found(self, write: Write, person: Person, rows: Sequence[Row]) -> Matched | NeedsReview | None:
        with_email = [row for row in rows if any(contacts.has_email(each, person.email) for each in _people(row))]
        if len(with_email) > 1:
            return _ambiguous(write, with_email, "several contacts have its e-mail address")
        if self._settings.create == "direct":
            known = self._by_reference(write)
            if known is not None:
                return _matched(known, person, "reference")
        if with_email:
            return _matched(with_email[0], person, "email", is_told=self._is_ours_to_link(with_email[0]))
        at_home = [row for row in rows if _is_home(row, person)]
        if len(at_home) > 1:
            return _ambiguous(write, at_home, "several contacts have its last name and address")
        return _matched(at_home[0], person, "address") if at_home else None

    def _is_ours_to_link(self, row: Row) -> bool:
        """An import finds an e-mail address by itself and leaves our reference, but also the type that it must name."""
        return self._settings.create == "direct" or not contacts.has_type(row, self._settings.contact_type)

    def _by_reference(self, write: Write) -> Row | None:
        names = {"source": self._settings.reference_source, "id": write.entity.source_id}
        answer = self._api.read(BY_REFERENCE, names=names, accept=(NOT_FOUND,))
        return None if answer.status == NOT_FOUND else contact_in(answer.json(), f"GET {BY_REFERENCE}")


def _people(row: Row) -> list[Mapping[str, Any]]:
    return contacts.people_of(row)


def _is_home(row: Row, person: Person) -> bool:
    wanted, there = str(address_fields(person).get("address1", "")), row.get("address")
    same_name = any(_alike(each.get("lastName"), person.last_name) for each in _people(row))
    return bool(wanted) and same_name and isinstance(there, Mapping) and _alike(there.get("address1"), wanted)


def _alike(there: object, wanted: str) -> bool:
    return str(there or "").strip().lower() == wanted.strip().lower()


def _matched(row: Row, person: Person, rung: str, *, is_told: bool = True) -> Matched:
    """Nobody of that household may be the person: then one is added."""
    individual = contacts.our_individual(row, "", person)
    details = {"individual_id": str(individual["id"]) if individual else ""}
    return Matched(destination_id=contacts.contact_id(row), details=details, rung=rung, is_told=is_told)


def _ambiguous(write: Write, rows: Sequence[Row], reason: str) -> NeedsReview:
    candidates = tuple(contacts.contact_id(row) for row in rows)
    review = Review(entity=write.entity, kind=ReviewKind.AMBIGUOUS, reason=reason, candidates=candidates)
    return NeedsReview(review=review)
