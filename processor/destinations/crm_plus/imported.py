"""Hours where the organization has no volunteer module: `volunteerAttendances` of a contact that is imported.

Facts: crm-api 1.7. They are sent once, when they are final: no look-up shows them, they have no key, and nothing takes
them back. So what became of a request without an answer is for a person to find out, and so is a later change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from common.domain.entities import EntityKey
from common.domain.participations import Participation
from common.domain.resources import USERS
from common.domain.writes import Answer, Applied, Found, Link, Postponed, Preview, Refusal, Refused, Write
from processor.destinations.crm_plus import beside
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.module import VIRTUAL, is_virtual
from processor.destinations.crm_plus.opportunity import NO_ZONE, moment
from processor.destinations.crm_plus.reading import PAGE_ROWS, Row, nothing_sent, whole_page

BATCH = "/api/Contact/Batch"
QUERY = "/api/Contact/Query/FullContact"
#: A sign-up without hours may get some as long as the source is read that far back: 30 days by default.
NO_HOURS_CLOSE = timedelta(days=30)


def is_imported(write: Write) -> bool:
    """Also of what was written before the organization had the module."""
    link = write.link or beside.place(write)
    return link is not None and is_virtual(link.destination_id)


class ImportedHours:
    """The part of `Shape` that concerns such participations."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings = account.settings
        self.group_limit = account.settings.batch_size

    def group(self, write: Write) -> str:
        """What is sent shares no request with what is not: else a missing answer would leave both in doubt."""
        return "import" if self._decided(write) is None else "no import"

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        answers = {write.entity: self._decided(write) for write in writes}
        due = [write for write in writes if answers[write.entity] is None]
        if due:
            answers |= self._send(due)
        return [answer for answer in answers.values() if answer is not None]

    def _decided(self, write: Write) -> Answer | None:
        """None: its hours are to be sent now."""
        row = beside.participation(write)
        if write.link is not None:
            return _of_sent(write, write.link, row)
        if write.is_removal:
            return _refused(write, "outcome_unknown", UNKNOWN)
        until = self._final_at(row, beside.happened(write))
        if until > self._account.clock.now():
            return Postponed(reason="its hours may change yet", until=until, until_newer=True)
        return None if row.worked_hours > 0 else _applied(write, changed=False)

    def _final_at(self, row: Participation, date: Mapping[str, Any]) -> datetime:
        now = self._account.clock.now()
        told = (row.checked_out_at, str(date.get("ends_at") or ""), row.checked_in_at, row.signed_up_at)
        ended = next((found for text in told if (found := moment(text))), None)
        if row.verified or ended is None:
            return now
        settles = timedelta(days=self._settings.hours_settle_days)
        return ended + (settles if row.worked_hours > 0 else max(settles, NO_HOURS_CLOSE))

    def _send(self, writes: Sequence[Write]) -> dict[EntityKey, Answer | None]:
        with nothing_sent():
            people = self._people(sorted({_contact_id(write) for write in writes}))
        problems = {write.entity: self._problem(write, people.get(_contact_id(write))) for write in writes}
        left = [write for write in writes if problems[write.entity] is None]
        if left:
            self._account.api.send("POST", BATCH, body=self._batch(left, people))
        return {write.entity: problems[write.entity] or _applied(write, changed=True) for write in writes}

    def _people(self, contact_ids: Sequence[str]) -> Mapping[str, Row]:
        """An import takes nobody without a name, and our links keep none: one query for all."""
        groups = [
            {"conditions": [{"parameter": "Contact Id", "operator": "Is", "value": contact_id}]}
            for contact_id in contact_ids
        ]
        body = {"groups": groups, "sortBy": "Id", "descending": False, "includeArchived": True}
        page = {"skip": "0", "take": str(PAGE_ROWS)}
        answer = self._account.api.read(QUERY, method="POST", query=page, body=body).json()
        return {contacts.contact_id(row): row for row in whole_page(answer, QUERY, 0)[0]}

    def _problem(self, write: Write, contact: Row | None) -> Refused | None:
        """Why an import would not bring them to the person's contact, if it would not."""
        reference = (self._settings.reference_source, _user_id(write))
        if contact is None or reference not in contacts.references(contact):
            return _refused(write, "reference_missing", NO_REFERENCE)
        survivor = contact.get("mergedIntoContactId")
        return _refused(write, "contact_merged", MERGED.format(survivor=survivor)) if survivor else None

    def _batch(self, writes: Sequence[Write], people: Mapping[str, Row]) -> dict[str, Any]:
        items: dict[str, dict[str, Any]] = {}
        for write in writes:
            item = items.setdefault(_user_id(write), self._item(write, people[_contact_id(write)]))
            item["volunteerAttendances"].append(_attendance(write))
        return {"referenceSource": self._settings.reference_source, "contacts": list(items.values())}

    def _item(self, write: Write, contact: Row) -> dict[str, Any]:
        person = contacts.our_individual(contact, _individual_id(write)) or {}
        return {
            "referenceId": _user_id(write),
            "contactType": contact.get("contactType") or self._settings.contact_type,
            "firstName": person.get("firstName"),
            "lastName": person.get("lastName"),
            "volunteerAttendances": [],
        }

    def look(self, writes: Sequence[Write], since: datetime) -> dict[EntityKey, Found]:
        """Nothing shows them. So what had hours to send is taken for perhaps there: it differs, and is refused when
        it is applied, with what a person should do.
        """
        del since
        return {
            write.entity: Found(destination_id=_place_id(write), details={"outcome_unknown": True}, current={})
            for write in writes
            if beside.participation(write).worked_hours > 0
        }

    def preview(self, write: Write) -> Sequence[Preview]:
        if self._decided(write) is not None:
            return []
        people = self._people([_contact_id(write)])
        if _contact_id(write) not in people:
            return []
        return [Preview(method="POST", route=BATCH, body=self._batch([write], people))]


UNKNOWN = (
    "they were sent without an answer, and CRM+ shows nobody what became of them: look at the person's volunteer "
    "hours there, enter them by hand if they are missing, then discard this"
)
CHANGED = "CRM+ got {sent} hours by an import, which nothing takes back; correct them there by hand, then discard this"
NO_REFERENCE = (
    "the person's contact lacks our reference, so an import would make a second one; give the contact the reference, "
    "then replay"
)

MERGED = (
    "the person's contact was merged into {survivor}, and an import would bring them to the old one, where nobody sees "
    "them; link the person to {survivor} and give that contact our reference, then replay"
)


def _of_sent(write: Write, link: Link, row: Participation) -> Answer:
    if link.details.get("outcome_unknown"):
        return _refused(write, "outcome_unknown", UNKNOWN)
    sent = str(link.details.get("hours_sent") or "0.00")
    wanted = "0.00" if write.is_removal else f"{row.worked_hours:.2f}"
    if sent == wanted:
        return Applied(destination_id=link.destination_id, details=link.details, changed=False)
    return _refused(write, "hours_changed_after_import", CHANGED.format(sent=sent))


def _applied(write: Write, *, changed: bool) -> Applied:
    """There is nothing to look at later: that it was taken is all that will ever be known."""
    sent = f"{beside.participation(write).worked_hours:.2f}"
    return Applied(destination_id=_place_id(write), details={"hours_sent": sent}, changed=changed)


def _refused(write: Write, reason: str, mend: str) -> Refused:
    entity = write.entity
    message = f"customer {entity.customer_id}: {entity.resource} record: field 'hours': {mend}"
    return Refused(refusal=Refusal(reason=reason, message=message, field="hours"))


def _place_id(write: Write) -> str:
    link = write.link or beside.place(write)
    return link.destination_id if link is not None else VIRTUAL


def _attendance(write: Write) -> dict[str, str]:
    """Facts: crm-api 1.5; hours as text, the date as it was at the place."""
    row, date = beside.participation(write), beside.happened(write)
    told = (row.checked_in_at, str(date.get("starts_at") or ""), row.signed_up_at)
    worked = next(found for text in told if (found := moment(text)))
    day = worked.astimezone(ZoneInfo(str(date.get("time_zone") or NO_ZONE))).date()
    name = _place_id(write).removeprefix(VIRTUAL)
    return {"volunteerOpportunityName": name, "date": day.isoformat(), "hours": f"{row.worked_hours:.2f}"}


def _person(write: Write) -> tuple[str, Link]:
    return next((entity.source_id, link) for entity, link in write.parents.items() if entity.resource == USERS)


def _user_id(write: Write) -> str:
    return _person(write)[0]


def _contact_id(write: Write) -> str:
    return _person(write)[1].destination_id


def _individual_id(write: Write) -> str:
    return str(_person(write)[1].details.get("individual_id") or "")
