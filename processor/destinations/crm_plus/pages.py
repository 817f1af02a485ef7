"""The notes of ours in the notebook, by the record that each is of: brought up to date, withdrawn, looked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from common.domain.entities import EntityKey
from common.domain.errors import RecordRefused
from common.domain.writes import Applied, Found, Preview, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.notebook import ONE, Draft, Notebook, text_of
from processor.destinations.crm_plus.persons import contact_of
from processor.destinations.crm_plus.reading import Row, nothing_sent
from processor.destinations.crm_plus.singly import Window
from processor.destinations.crm_plus.wording import is_withdrawn, key_of, revised, withdrawn

UNKNOWN = "it was removed while its note was under way: look at the person's notes in CRM+, then discard"


class Pages:
    """Of one account. The link's details hold `note_id` and `contact_id`."""

    def __init__(self, account: Account, book: Notebook) -> None:
        self._clock = account.clock
        self._source = account.settings.reference_source
        self._book = book

    def key(self, write: Write) -> str:
        return key_of(self._source, write.entity)

    def bring(self, write: Write, draft: Draft, window: Window) -> tuple[str, bool]:
        """Id, and whether anything was written. A note that staff have removed is written again."""
        with nothing_sent():
            row = self._row(write, draft.contact_id)
        if row is None:
            window.require()
            return self._book.write_one(draft), True
        text = revised(text_of(row), draft.text, self.key(write))
        if text == text_of(row):
            return str(row["id"]), False
        window.require()
        self._book.revise(row, text)
        return str(row["id"]), True

    def _row(self, write: Write, contact_id: str) -> Row | None:
        note_id = str(write.link.details.get("note_id") or "") if write.link else ""
        row = self._book.read(note_id) if note_id else None
        return row or self._book.find(contact_id, [self.key(write)]).get(self.key(write))

    def withdraw(self, write: Write, window: Window) -> Applied:
        """The note stays, for it tells what was; that it is withdrawn is said in it. No note is fine."""
        changed = self.mark_withdrawn(write, window)
        assert write.link is not None  # noqa: S101 - nothing else has a page
        return Applied(destination_id=write.link.destination_id, details=write.link.details, changed=changed)

    def mark_withdrawn(self, write: Write, window: Window) -> bool:
        """Raises RecordRefused if nobody knows what was written."""
        if not contact_of(write):
            said = f"customer {write.entity.customer_id}: {write.entity.resource} record: {UNKNOWN}"
            raise RecordRefused(said, reason="outcome_unknown", field="note")
        with nothing_sent():
            row = self._row(write, contact_of(write))
        if row is None or is_withdrawn(text_of(row), self.key(write)):
            return False
        window.require()
        self._book.revise(row, withdrawn(text_of(row), self.key(write), self._clock.now()))
        return True

    def look(self, writes: Sequence[Write]) -> dict[EntityKey, Found]:
        """One list of notes a contact. A removal of what has no link is found as something nobody knows."""
        by_contact: dict[str, list[Write]] = defaultdict(list)
        for write in writes:
            by_contact[contact_of(write)].append(write)
        unknown = by_contact.pop("", [])
        found = {write.entity: Found(destination_id="", details={}, current={}) for write in unknown}
        for contact_id, own in by_contact.items():
            rows = self._book.find(contact_id, [self.key(write) for write in own])
            found |= {
                write.entity: self._found(write, rows[self.key(write)]) for write in own if self.key(write) in rows
            }
        return found

    def _found(self, write: Write, row: Row) -> Found:
        details = {"note_id": str(row["id"]), "contact_id": contact_of(write)}
        return Found(destination_id=str(row["id"]), details=details, current={"note": row})

    def differs(self, write: Write, found: Found, wanted: str) -> bool:
        there = text_of(found.current.get("note") or {})
        return revised(there, wanted, self.key(write)) != there

    def is_to_be_withdrawn(self, write: Write, found: Found) -> bool:
        return not is_withdrawn(text_of(found.current.get("note") or {}), self.key(write))

    def preview_of_withdrawal(self, write: Write) -> Preview:
        note_id = str(write.link.details.get("note_id") or "") if write.link else ""
        return Preview(method="PUT", route=ONE.format(id=note_id), body={"note": "[withdrawn ...]"})
