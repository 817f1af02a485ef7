"""Users: a Contact with an Individual each, in as few requests as the API allows, for its limit counts requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from common.domain.entities import EntityKey
from common.domain.errors import RecordInvalid
from common.domain.people import Person
from common.domain.writes import Answer, Applied, Found, Matched, NeedsReview, Preview, Submitted, Write
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.contacts_read import QUERY_ROWS, SINGLE_READS, ContactsRead, Row, contact_in
from processor.destinations.crm_plus.matching import BY_REFERENCE, Ladder
from processor.destinations.crm_plus.payloads import flat_contact, nested_contact
from processor.destinations.crm_plus.reading import NOT_FOUND
from processor.destinations.crm_plus.updates import Updates, changes_of, is_alone, linked_id, person_of, was_removed

#: How far their clock may be from ours, for "modified since".
CLOCK_SKEW = timedelta(minutes=10)


class People:
    """Implements `Shape` for users."""

    def __init__(self, account: Account) -> None:
        self._api = account.api
        self._settings = account.settings
        self._contacts = ContactsRead(account)
        self._ladder = Ladder(account)
        self._updates = Updates(account)

    def check(self, write: Write) -> None:
        person, entity = person_of(write), write.entity
        for field in ("first_name", "last_name") if not write.is_removal else ():
            if not getattr(person, field):
                mend = "CRM+ takes no person without it; fill it in at the source"
                raise RecordInvalid(entity.customer_id, entity.resource, field, mend)

    def group(self, write: Write) -> str:
        return write.operation

    def group_limit(self, write: Write) -> int:
        alone = write.is_removal or (write.link is None and self._is_direct(write))
        return 1 if alone or self._is_single(write) else self._settings.batch_size

    def _is_direct(self, write: Write) -> bool:
        """An import would give somebody whom a person has declared to be new to who has the address."""
        return self._settings.create == "direct" or write.as_new

    def _is_single(self, write: Write) -> bool:
        return write.link is not None and self._settings.update == "single"

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        return self._ladder.match(writes) if writes else {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        if writes[0].is_removal:
            return [self._updates.archive(write) for write in writes]
        if writes[0].link is not None:
            return self._updates.apply(writes)
        if self._is_direct(writes[0]):
            return [self._create(write) for write in writes]
        return self._submit(writes)

    def _submit(self, writes: Sequence[Write]) -> Sequence[Answer]:
        self._api.send("POST", "/api/Contact/Batch", body=self._batch(writes))
        return [Submitted() for _ in writes]

    def _batch(self, writes: Sequence[Write]) -> dict[str, object]:
        items = [flat_contact(person_of(w), w.entity.source_id, self._settings.contact_type) for w in writes]
        return {"referenceSource": self._settings.reference_source, "contacts": items}

    def _create(self, write: Write) -> Answer:
        contact = contact_in(
            self._api.send("POST", "/api/Contact", body=self._nested(write)).json(), "POST /api/Contact"
        )
        return Applied(destination_id=contacts.contact_id(contact), details=contacts.ids(contact, person_of(write)))

    def _nested(self, write: Write) -> dict[str, object]:
        settings = self._settings
        return nested_contact(
            person_of(write), settings.reference_source, write.entity.source_id, settings.contact_type
        )

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        linked = [write for write in writes if write.link is not None]
        others = [write for write in writes if write.link is None]
        rows = self._contacts.by_ids([linked_id(write) for write in linked]) if linked else {}
        found = {w.entity: _found(w, rows[linked_id(w)]) for w in linked if linked_id(w) in rows}
        if len(others) > SINGLE_READS:
            return found | self._look_by_query(others, since)
        singly = {write.entity: self._look_at(write) for write in others}
        return found | {entity: there for entity, there in singly.items() if there is not None}

    def _look_at(self, write: Write) -> Found | None:
        names = {"source": self._settings.reference_source, "id": write.entity.source_id}
        answer = self._api.read(BY_REFERENCE, names=names, accept=(NOT_FOUND,))
        if answer.status == NOT_FOUND:
            return None
        return _found(write, contact_in(answer.json(), f"GET {BY_REFERENCE}"))

    def _look_by_query(self, writes: Sequence[Write], since: datetime) -> dict[EntityKey, Found]:
        """All contacts modified since, which an import's creations and merges both are."""
        wanted = {write.entity.source_id: write for write in writes}
        found: dict[EntityKey, Found] = {}
        skip, total = 0, 1
        while skip < total and len(found) < len(wanted):
            rows, total = self._contacts.modified_since(since - CLOCK_SKEW, skip)
            skip += QUERY_ROWS
            for row in rows:
                for source, reference_id in contacts.references(row):
                    if source == self._settings.reference_source and reference_id in wanted:
                        write = wanted[reference_id]
                        found[write.entity] = _found(write, row)
        return found

    def differs(self, write: Write, found: Found) -> bool:
        if write.is_removal:
            return not contacts.is_archived(found.current) and is_alone(write, found.current)
        # By us: it is to be shown again. Archived before we have found it: a person decides, as of one that is linked.
        is_to_be_shown = contacts.is_archived(found.current) and (was_removed(write) or write.link is None)
        return is_to_be_shown or bool(changes_of(write, found.current))

    def preview(self, write: Write) -> Sequence[Preview]:
        """Of an update, what it would send by itself; of several, an import may take them together."""
        if write.is_removal:
            return [Preview(method="PUT", route="/api/Contact/Archive/{id}", body={})]
        if write.link is None:
            direct = self._is_direct(write)
            body, route = (
                (self._nested(write), "/api/Contact") if direct else (self._batch([write]), "/api/Contact/Batch")
            )
            return [Preview(method="POST", route=route, body=body)]
        contact = self._contacts.one(linked_id(write))
        todo = self._updates.todo(write, contact) if contact is not None else []
        return [
            Preview(method=each.method, route=_filled(each.route, each.names), body=dict(each.body)) for each in todo
        ]


def _filled(route: str, names: Mapping[str, str]) -> str:
    return route.format(**names)


def _found(write: Write, contact: Row) -> Found:
    person = write.desired if isinstance(write.desired, Person) else None
    individual = str(write.link.details.get("individual_id") or "") if write.link else None
    details = contacts.ids(contact, person, individual or None)
    return Found(destination_id=contacts.contact_id(contact), details=details, current=contact)
