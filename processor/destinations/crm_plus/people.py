"""Creates, updates and look-ups, in as few requests as the API allows: its limit counts requests, not records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from common.domain.entities import EntityKey
from common.domain.errors import PageUnreadable, RecordInvalid, SystemUnavailable, UnknownOutcome
from common.domain.people import Person
from common.domain.writes import Answer, Applied, Found, Matched, NeedsReview, Preview, Submitted, Write
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.payloads import flat_contact, nested_contact

#: Up to this many are looked up one by one; more are found by a query that shows 1,000 contacts in one request.
SINGLE_LOOKS = 4
#: Most a query gives at once (facts: crm-api 1.3).
QUERY_ROWS = 1000
#: How far their clock may be from ours, for "modified since".
CLOCK_SKEW = timedelta(minutes=10)
NOT_FOUND = 404


class People:
    """Implements `Shape` for users: a Contact with one Individual each."""

    def __init__(self, account: Account) -> None:
        self._api = account.api
        self._settings = account.settings
        self._clock = account.clock

    def check(self, write: Write) -> None:
        person, entity = _person(write), write.entity
        for field in ("first_name", "last_name"):
            if not getattr(person, field):
                mend = "CRM+ takes no person without it; fill it in at the source"
                raise RecordInvalid(entity.customer_id, entity.resource, field, mend)

    def group(self, write: Write) -> str:
        return write.operation

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes  # the import matches
        return {}

    def group_limit(self, write: Write) -> int:
        if write.link is not None or self._settings.create == "direct":
            return 1
        return self._settings.batch_size

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        if writes[0].link is not None:
            return [self._update(write) for write in writes]
        if self._settings.create == "direct":
            return [self._create(write) for write in writes]
        return self._submit(writes)

    def _submit(self, writes: Sequence[Write]) -> Sequence[Answer]:
        items = [flat_contact(_person(w), w.entity.source_id, self._settings.contact_type) for w in writes]
        body = {"referenceSource": self._settings.reference_source, "contacts": items}
        self._api.send("POST", "/api/Contact/Batch", body=body)
        return [Submitted() for _ in writes]

    def _create(self, write: Write) -> Answer:
        settings = self._settings
        body = nested_contact(_person(write), settings.reference_source, write.entity.source_id, settings.contact_type)
        answer = self._api.send("POST", "/api/Contact", body=body)
        contact = _contact(answer.json(), "POST /api/Contact")
        return Applied(destination_id=contacts.contact_id(contact), details=contacts.ids(contact))

    def _update(self, write: Write) -> Answer:
        """Read, and send only what differs. Stops at the deadline, so that nothing lands after it has settled."""
        assert write.link is not None  # noqa: S101 - `apply` sends only linked writes here
        deadline = self._clock.monotonic() + self._api.deadline_seconds
        answer = self._api.read("/api/Contact/{id}", names={"id": write.link.destination_id})
        contact = _contact(answer.json(), "GET /api/Contact/{id}")
        individual_id = write.link.details.get("individual_id")
        todo = contacts.changes(_person(write), contact, individual_id)
        for change in todo:
            if self._clock.monotonic() > deadline:
                raise SystemUnavailable("an update took too long; the rest of it comes next time", sent=True)
            self._api.send(change.method, change.route, names=change.names, body=dict(change.body))
        details = {**contacts.ids(contact), **write.link.details}
        return Applied(destination_id=write.link.destination_id, details=details, changed=bool(todo))

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        entities = [write.entity for write in writes]
        if len(entities) > SINGLE_LOOKS:
            return self._look_by_query(entities, since)
        found = {entity: self._look_at(entity) for entity in entities}
        return {entity: there for entity, there in found.items() if there is not None}

    def _look_at(self, entity: EntityKey) -> Found | None:
        names = {"source": self._settings.reference_source, "id": entity.source_id}
        answer = self._api.read("/api/Contact/{source}/{id}", names=names, accept=(NOT_FOUND,))
        if answer.status == NOT_FOUND:
            return None
        return _found(_contact(answer.json(), "GET /api/Contact/{source}/{id}"))

    def _look_by_query(self, entities: Sequence[EntityKey], since: datetime) -> Mapping[EntityKey, Found]:
        """All contacts modified since, which an import's creations and merges both are."""
        wanted = {entity.source_id: entity for entity in entities}
        found: dict[EntityKey, Found] = {}
        skip, total = 0, 1
        while skip < total and len(found) < len(wanted):
            rows, total = self._modified_since(since - CLOCK_SKEW, skip)
            skip += QUERY_ROWS
            for row in rows:
                for source, reference_id in contacts.references(row):
                    if source == self._settings.reference_source and reference_id in wanted:
                        found[wanted[reference_id]] = _found(row)
        return found

    def _modified_since(self, since: datetime, skip: int) -> tuple[Sequence[Mapping[str, Any]], int]:
        condition = {
            "parameter": "Last Modified DateTime UTC",
            "operator": "OnOrAfter",
            "value": since.strftime("%Y-%m-%dT%H:%M:%S"),
        }
        body = {"groups": [{"conditions": [condition]}], "sortBy": "Id", "descending": False}
        query = {"skip": str(skip), "take": str(QUERY_ROWS)}
        answer = self._api.read("/api/Contact/Query/FullContact", method="POST", query=query, body=body).json()
        return _whole_page(answer, skip)

    def differs(self, write: Write, found: Found) -> bool:
        return bool(contacts.changes(_person(write), found.current))

    def preview(self, write: Write) -> Sequence[Preview]:
        item = flat_contact(_person(write), write.entity.source_id, self._settings.contact_type)
        body = {"referenceSource": self._settings.reference_source, "contacts": [item]}
        return [Preview(method="POST", route="/api/Contact/Batch", body=body)]


def _person(write: Write) -> Person:
    assert isinstance(write.desired, Person)  # noqa: S101 - the handler of users gives nothing else
    return write.desired


def _found(contact: Mapping[str, Any]) -> Found:
    return Found(destination_id=contacts.contact_id(contact), details=contacts.ids(contact), current=contact)


def _whole_page(answer: Any, skip: int) -> tuple[Sequence[Mapping[str, Any]], int]:
    """Rows and total. Raises PageUnreadable for a page that lacks any: who is missing there would be created twice."""
    total = answer.get("total") if isinstance(answer, Mapping) else None
    rows = contacts.rows(answer)
    if not str(total).isdecimal() or len(rows) < min(QUERY_ROWS, int(str(total)) - skip):
        raise PageUnreadable("crm_plus: POST /api/Contact/Query/FullContact: the answer is not a whole page")
    return rows, int(str(total))


def _contact(body: Any, where: str) -> Mapping[str, Any]:
    """The contact in an answer. A create whose answer cannot be read has happened all the same."""
    if isinstance(body, Mapping) and body.get("id") is not None:
        return body
    error = UnknownOutcome if where.startswith("POST") else PageUnreadable
    raise error(f"crm_plus: {where}: the answer is not a contact")
