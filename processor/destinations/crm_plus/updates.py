"""Linked contacts brought up to date: all read in one request, most of them written in one, the rest each by itself.

An import takes a hundred contacts in one request, but it only adds: what must replace something, or concerns one of
several people in a household, is sent by itself, in as few parts as differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.domain.errors import PermanentError, SystemUnavailable
from common.domain.people import Person
from common.domain.writes import (
    Answer,
    Applied,
    NeedsReview,
    Relinked,
    Review,
    ReviewKind,
    Submitted,
    Write,
)
from processor.destinations.crm_plus import contact as contacts
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.contact import ADD_INDIVIDUAL, Change
from processor.destinations.crm_plus.contacts_read import ContactsRead, Row
from processor.destinations.crm_plus.payloads import flat_contact
from processor.destinations.crm_plus.reading import nothing_sent, one_row
from processor.destinations.crm_plus.refusing import invalid, refused
from processor.destinations.crm_plus.singly import Window, one_by_one

ARCHIVE_REASON = "no longer in Volunteer"


@dataclass(frozen=True, kw_only=True)
class Due:
    """A write, its contact as read, and what differs."""

    write: Write
    contact: Row
    changes: Sequence[Change]


class Updates:
    """Of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._api = account.api
        self._settings = account.settings
        self._contacts = ContactsRead(account)

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        """One answer each, in order."""
        window = Window(self._account)
        with nothing_sent():
            rows = self._contacts.by_ids([linked_id(write) for write in writes])
        answers: dict[str, Answer] = {}
        due: list[Due] = []
        for write in writes:
            found = self._judge(write, rows.get(linked_id(write)))
            if isinstance(found, Due):
                due.append(found)
            else:
                answers[write.write_id] = found
        together = self._together(due)
        if together:
            window.require()
            self._submit(together)
            answers |= {each.write.write_id: Submitted() for each in together}
        singly = [each for each in due if each not in together]
        sent = one_by_one(window, singly, lambda each: self._send(each, window))
        answers |= {each.write.write_id: answer for each, answer in zip(singly, sent, strict=True)}
        return [answers[write.write_id] for write in writes]

    def _judge(self, write: Write, contact: Row | None) -> Answer | Due:
        if contact is None:
            mend = f"contact {linked_id(write)} is gone from CRM+: link the person to another one and replay"
            return invalid(write, "id", mend, reason="contact_gone")
        if contact.get("mergedIntoContactId"):
            return self._merged(write, str(contact["mergedIntoContactId"]))
        if contacts.is_archived(contact) and not was_removed(write):
            return _review(write, ReviewKind.ARCHIVED, "its contact was archived", [linked_id(write)])
        if individual_of(write) and contacts.our_individual(contact, individual_of(write), person_of(write)) is None:
            mend = (
                f"is in contact {linked_id(write)} no more: put the person back there, or link to another, and replay"
            )
            return invalid(write, "id", mend, reason="person_gone")
        todo = self.todo(write, contact)
        if not todo:
            return self._applied(write, contact, individual_of(write), changed=False)
        return Due(write=write, contact=contact, changes=todo)

    def todo(self, write: Write, contact: Row) -> list[Change]:
        """All that is left to do to a contact."""
        return [*self._back(write, contact), *self._reference(write, contact), *changes_of(write, contact)]

    @staticmethod
    def _back(write: Write, contact: Row) -> list[Change]:
        """Archived by us, and wanted again."""
        if not contacts.is_archived(contact):
            return []
        return [Change(method="PUT", route="/api/Contact/Unarchive/{id}", names={"id": linked_id(write)}, body={})]

    def _reference(self, write: Write, contact: Row) -> list[Change]:
        """An adopted contact is given our reference, so that an import recognises it too."""
        source, key = self._settings.reference_source, write.entity.source_id
        if (source, key) in contacts.references(contact):
            return []
        body = {"contactId": contact["id"], "referenceSource": source, "referenceId": key}
        return [Change(method="POST", route="/api/ContactReference", names={}, body=body)]

    def _merged(self, write: Write, survivor_id: str) -> Answer:
        """Somebody merged it by hand: the one that is left is ours, if our person is in it."""
        survivor = self._survivor(survivor_id, {linked_id(write)})
        individual = contacts.our_individual(survivor, "", person_of(write)) if survivor else None
        if survivor is None or individual is None:
            return _review(write, ReviewKind.ARCHIVED, "its contact was merged into another", [survivor_id])
        details = {**_kept(write), "individual_id": str(individual["id"]), "adopted": True}
        return Relinked(destination_id=contacts.contact_id(survivor), details=details)

    def _survivor(self, contact_id: str, passed: set[str]) -> Row | None:
        """At the end of a line of merges; None if it is a circle, in which each would be linked for ever in turn."""
        survivor = self._contacts.one(contact_id)
        following = str((survivor or {}).get("mergedIntoContactId") or "")
        if not following:
            return survivor
        passed = {*passed, contact_id}
        return None if following in passed else self._survivor(following, passed)

    def _together(self, due: Sequence[Due]) -> list[Due]:
        """Those that go through the import in one request."""
        settings = self._settings
        if settings.update == "single" or (settings.update == "auto" and settings.imports != "at_once"):
            return []
        safe = [each for each in due if self._is_safe(each)]
        enough = settings.update == "batch" or len(safe) >= settings.batch_updates_from
        return safe[: settings.batch_size] if enough and len(safe) > 1 else []

    def _is_safe(self, due: Due) -> bool:
        """An import finds it by our reference, and what it adds, or must name, is what is wanted."""
        replaces = any("ContactMethod" in change.route and change.method == "PUT" for change in due.changes)
        plain = all(change.route in MERGED_BY_IMPORT for change in due.changes)
        kept = contacts.has_type(due.contact, self._settings.contact_type)
        return plain and not replaces and kept and len(contacts.people_of(due.contact)) == 1

    def _submit(self, due: Sequence[Due]) -> None:
        items = [
            flat_contact(person_of(each.write), each.write.entity.source_id, self._settings.contact_type)
            for each in due
        ]
        body = {"referenceSource": self._settings.reference_source, "contacts": items}
        self._api.send("POST", "/api/Contact/Batch", body=body)

    def _send(self, due: Due, window: Window) -> Answer:
        """Part by part. After a person was added, once, what belongs to the new one follows."""
        contact, todo, sent, individual = due.contact, list(due.changes), False, individual_of(due.write)
        while todo:
            change = todo.pop(0)
            if sent and window.is_over:
                raise SystemUnavailable("an update took too long; the rest of it comes next time", sent=True)
            answer = self._api.send(change.method, change.route, names=change.names, body=dict(change.body))
            sent = True
            if change.route == ADD_INDIVIDUAL:
                # Known by its id: whoever looked for the name, as CRM+ may spell it, would add another and another.
                added = one_row(answer.json(), f"POST {ADD_INDIVIDUAL}")
                contact, individual = _with_individual(contact, {**change.body, **added}), str(added["id"])
                todo = contacts.changes(person_of(due.write), contact, individual)
        return self._applied(due.write, contact, individual, changed=True)

    def _applied(self, write: Write, contact: Row, individual: str | None, *, changed: bool) -> Applied:
        found = contacts.ids(contact, person_of(write), individual)
        return Applied(destination_id=linked_id(write), details={**_kept(write), **found}, changed=changed)

    def archive(self, write: Write) -> Answer:
        """Only what is ours and holds nobody else: a household is not archived for one of its people, nor what has
        become the contact of two users for one of them.
        """
        if write.is_shared:
            return Applied(destination_id=linked_id(write), details=_kept(write), changed=False)
        with nothing_sent():
            contact = self._contacts.one(linked_id(write))
        if contact is None or contacts.is_archived(contact) or not is_alone(write, contact):
            return Applied(destination_id=linked_id(write), details=_kept(write), changed=False)
        try:
            # Two clients spell the reason differently (facts: crm-api 1.4).
            body = {"archiveReason": ARCHIVE_REASON, "reason": ARCHIVE_REASON}
            self._api.send("PUT", "/api/Contact/Archive/{id}", names={"id": linked_id(write)}, body=body)
        except PermanentError as error:
            return refused(error)
        return Applied(destination_id=linked_id(write), details=_kept(write), changed=True)


#: Parts that an import brings as well as a request of their own.
MERGED_BY_IMPORT = frozenset(
    {"/api/ContactIndividual/{id}", "/api/ContactMethod", "/api/ContactAddress", "/api/ContactAddress/{id}",
     "/api/Contact/{id}"}
)  # fmt: skip


def changes_of(write: Write, contact: Row) -> list[Change]:
    """What differs in the person's own part."""
    return contacts.changes(person_of(write), contact, individual_of(write))


def is_alone(write: Write, contact: Row) -> bool:
    ours = contacts.our_individual(contact, individual_of(write), person_of(write))
    return ours is not None and len(contacts.people_of(contact)) == 1


def person_of(write: Write) -> Person:
    assert isinstance(write.desired, Person)  # noqa: S101 - the handler of users gives nothing else
    return write.desired


def linked_id(write: Write) -> str:
    assert write.link is not None  # noqa: S101 - only linked writes come here
    return write.link.destination_id


def individual_of(write: Write) -> str | None:
    """None: not known; empty: known to be nobody yet."""
    value = write.link.details.get("individual_id") if write.link else None
    return None if value is None else str(value)


def was_removed(write: Write) -> bool:
    return write.link is not None and write.link.was_removed


def _kept(write: Write) -> dict[str, Any]:
    return dict(write.link.details) if write.link else {}


def _with_individual(contact: Row, added: Row) -> Row:
    return {**contact, "contactIndividuals": [*contacts.people_of(contact), {"contactMethods": [], **added}]}


def _review(write: Write, kind: ReviewKind, reason: str, candidates: Sequence[str]) -> NeedsReview:
    return NeedsReview(review=Review(entity=write.entity, kind=kind, reason=reason, candidates=tuple(candidates)))
