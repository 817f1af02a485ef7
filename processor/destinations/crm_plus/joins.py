"""What ties a tag to a contact: added once, whoever asks for it, and taken away only where we added it.

A tie has no key and can be doubled (facts: crm-api 4.1), so who carries the tag is read before any is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.domain.entities import EntityKey
from common.domain.errors import RecordRefused, UnknownOutcome
from common.domain.writes import Applied, Found, Postponed, Refused, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.capabilities import Capability
from processor.destinations.crm_plus.persons import as_sent, contact_of
from processor.destinations.crm_plus.reading import NOT_FOUND, nothing_sent, one_row
from processor.destinations.crm_plus.refusing import invalid, with_mend
from processor.destinations.crm_plus.sharing import Sharing
from processor.destinations.crm_plus.singly import Window, one_by_one
from processor.destinations.crm_plus.tags import Carriers, Tags

BULK = "/api/Tag/Bulk"
SINGLE = "/api/ContactTag"

Added = Applied | Refused | Postponed
#: What ties the tag to a contact now, or why nothing does.
Ties = Mapping[str, str | Refused | Postponed]


class Joins:
    """Of one account, for one slice."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tags = Tags(account)
        self._bulk = Capability(account, BULK)
        self._sharing = Sharing(account)
        #: Who added which tie in this slice: found there again after a refusal, it is not somebody else's.
        self._adder: dict[str, EntityKey] = {}

    def add(self, writes: Sequence[Write], tag_id: str, tag: str, window: Window) -> list[Added]:
        """Of one tag; one answer each. `tag` is its name, by which another is found if that one was deleted.

        Raises what concerns all.
        """
        contacts = list(dict.fromkeys(contact_of(write) for write in writes))
        with nothing_sent():
            current = tag_id if self._tags.is_known(tag_id) else self._tags.named(tag)
            there = self._tags.carriers(current, contacts) if current else None
        if current is None or there is None:
            return self._tag_gone(writes, tag)
        try:
            added = self._tie(current, [each for each in contacts if each not in there], window)
        except RecordRefused as error:
            if not _is_of_tag(error.field):
                raise
            return self._tag_gone(writes, tag)
        return [self._answer(write, current, there, added) for write in writes]

    def _tie(self, tag_id: str, contacts: Sequence[str], window: Window) -> Ties:
        if not contacts:
            return {}
        window.require()
        if len(contacts) > 1:
            answer = self._bulk.post({"tagId": as_sent(tag_id), "contactIds": [as_sent(each) for each in contacts]})
            if answer is not None:
                return _told(answer.json(), contacts) or self._looked_up(tag_id, contacts)
        return dict(zip(contacts, one_by_one(window, contacts, lambda each: self._tie_one(tag_id, each)), strict=True))

    def _tie_one(self, tag_id: str, contact_id: str) -> str:
        body = {"tagId": as_sent(tag_id), "contactId": as_sent(contact_id)}
        return str(one_row(self._account.api.send("POST", SINGLE, body=body).json(), f"POST {SINGLE}")["id"])

    def _looked_up(self, tag_id: str, contacts: Sequence[str]) -> Ties:
        there = self._tags.carriers(tag_id, contacts) or {}
        if not set(there) >= set(contacts):
            raise UnknownOutcome(f"crm_plus: POST {BULK}: accepted, and the tag is not on all contacts yet")
        return there

    def _answer(self, write: Write, tag_id: str, there: Carriers, added: Ties) -> Added:
        contact_id = contact_of(write)
        tie = there.get(contact_id)
        if tie is not None:
            return self._applied(write, tag_id, tie, is_ours=self._is_ours(write, tie), changed=False)
        new = added[contact_id]
        if isinstance(new, Refused) and _is_of_tag(new.refusal.field):
            return self._tag_gone([write], "")[0]
        if isinstance(new, Refused):
            return with_mend(write, new, contact_id)
        if isinstance(new, Postponed):
            return new
        there[contact_id] = new  # the next write of the same contact finds it there
        self._adder[new] = write.entity
        return self._applied(write, tag_id, new, is_ours=True, changed=True)

    def _is_ours(self, write: Write, tie: str) -> bool:
        known = write.link.details if write.link else {}
        return self._adder.get(tie) == write.entity or (known.get("contact_tag_id") == tie and not known.get("adopted"))

    def _applied(self, write: Write, tag_id: str, tie: str, *, is_ours: bool, changed: bool) -> Applied:
        if not is_ours:
            self._sharing.note(tie)
        known = write.link.details if write.link else {}
        details = {**known, **_details(contact_of(write), tag_id, tie, is_ours=is_ours)}
        return Applied(destination_id=tie or f"{contact_of(write)}/{tag_id}", details=details, changed=changed)

    def _tag_gone(self, writes: Sequence[Write], tag: str) -> list[Added]:
        self._tags.forget()
        named = f"the tag {tag!r}" if tag else "its tag"
        mend = f"{named} was deleted in CRM+; create it again and replay"
        return [invalid(write, "tag", mend, reason="tag_missing") for write in writes]

    def remove(self, write: Write) -> bool:
        """True if a tie was taken away; what was there before us, or others rely on, stays. No tie is fine.

        Raises RecordRefused if nobody knows what was written.
        """
        known = write.link.details if write.link else {}
        if not known.get("tag_id"):
            mend = "it was removed while its tag was under way: look at the person's tags in CRM+, then discard"
            raise RecordRefused(
                f"customer {write.entity.customer_id}: {write.entity.resource} record: {mend}",
                reason="outcome_unknown", field="tag",
            )  # fmt: skip
        tie = str(known.get("contact_tag_id") or "") or self._tie_of(str(known["contact_id"]), str(known["tag_id"]))
        if not tie or known.get("adopted") or self._sharing.is_shared(tie):
            return False
        answer = self._account.api.send("DELETE", f"{SINGLE}/{{id}}", names={"id": tie}, accept=(NOT_FOUND,))
        return answer.status != NOT_FOUND

    def _tie_of(self, contact_id: str, tag_id: str) -> str | None:
        with nothing_sent():
            return self._tags.of(contact_id, tag_id)

    def look(self, writes: Sequence[Write], tag_id: str) -> dict[EntityKey, Found]:
        """Of one tag: who carries it. What is found was not there when we looked before the write."""
        contacts = list(dict.fromkeys(contact_of(write) for write in writes))
        there = self._tags.carriers(tag_id, contacts) or {}
        # The tag's own list leaves out archived contacts, and lags.
        there |= self._tags.one_by_one(tag_id, [each for each in contacts if each not in there])
        found: dict[EntityKey, Found] = {}
        for write in writes:
            tie = there.get(contact_of(write))
            if tie is not None:
                found[write.entity] = self._found(write, tag_id, tie)
        return found

    def _found(self, write: Write, tag_id: str, tie: str) -> Found:
        known = write.link.details if write.link else {}
        is_ours = not known.get("adopted") if known.get("contact_tag_id") == tie else self._is_first(write, tie)
        if not is_ours:
            self._sharing.note(tie)
        contact_id = contact_of(write)
        details = _details(contact_id, tag_id, tie, is_ours=is_ours)
        return Found(destination_id=tie or f"{contact_id}/{tag_id}", details=details, current={})

    def _is_first(self, write: Write, tie: str) -> bool:
        return not tie or self._adder.setdefault(tie, write.entity) == write.entity


def _details(contact_id: str, tag_id: str, tie: str, *, is_ours: bool) -> dict[str, Any]:
    return {"contact_id": contact_id, "tag_id": tag_id, "contact_tag_id": tie, "adopted": not is_ours}


def _is_of_tag(field: str) -> bool:
    return "tagid" in field.lower()


def _told(answer: Any, contacts: Sequence[str]) -> dict[str, str] | None:
    """The ties by contact, if the answer is a list of them (facts: its shape is not documented)."""
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) and row.get("id") for row in answer):
        return None
    told = {str(row.get("contactId")): str(row["id"]) for row in answer}
    return told if set(told) >= set(contacts) else None
