"""Form completions: a note on the person's contact, and the custom fields that the mapping says.

What may be repeated comes first, the note, which may not, last: so a failure between the two doubles nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.entities import EntityKey
from common.domain.forms import FormCompletion
from common.domain.writes import Answer, Applied, Found, Matched, NeedsReview, Postponed, Preview, Refused, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.capabilities import BULK_ROWS
from processor.destinations.crm_plus.contact_fields import ROUTE, ContactFields
from processor.destinations.crm_plus.contact_values import lacks
from processor.destinations.crm_plus.notebook import BULK, ONE, Draft, Notebook
from processor.destinations.crm_plus.pages import Pages
from processor.destinations.crm_plus.persons import contact_of
from processor.destinations.crm_plus.reading import nothing_sent
from processor.destinations.crm_plus.refusing import invalid, with_mend
from processor.destinations.crm_plus.singly import Window, one_by_one
from processor.destinations.crm_plus.telling import Age, Telling, age_of
from processor.destinations.crm_plus.wording import completion_text

#: Completions that also fill custom fields: up to two requests more for each, all within one deadline.
WITH_FIELDS = 20


class Notes:
    """Implements `Shape` for form completions."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._book = Notebook(account)
        self._pages = Pages(account, self._book)
        self._fields = ContactFields(account)
        self._telling = Telling(account)

    def check(self, write: Write) -> None: ...

    def group(self, write: Write) -> str:
        return f"{write.operation}/fields" if _values(write) else write.operation

    def group_limit(self, write: Write) -> int:
        if write.link is not None or write.is_removal:
            return 1
        return WITH_FIELDS if _values(write) else BULK_ROWS

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        window = Window(self._account)
        if writes[0].is_removal:
            return [self._pages.withdraw(write, window) for write in writes]
        with nothing_sent():
            problem = self._book.type_problem()
        if problem is not None:
            return [invalid(write, "note_type", problem) for write in writes]
        if writes[0].link is not None:
            return one_by_one(window, writes, lambda write: self._update(write, window))
        return self._create(writes, window)

    def _create(self, writes: Sequence[Write], window: Window) -> Sequence[Answer]:
        filled = one_by_one(window, writes, lambda write: self._fill(write, window))
        left = [write for write, done in zip(writes, filled, strict=True) if isinstance(done, bool)]
        ids = iter(self._book.write([self._draft(write) for write in left], window))
        return [
            _written(write, next(ids)) if isinstance(done, bool) else done
            for write, done in zip(writes, filled, strict=True)
        ]

    def _fill(self, write: Write, window: Window) -> bool:
        values = self._left(write)
        self._telling.note(contact_of(write), values, _age(write))
        return bool(values) and self._fields.set(contact_of(write), values, window)

    def _left(self, write: Write) -> Mapping[str, Any]:
        """The values that are its to tell: of one person's completions the newest counts."""
        values = _values(write)
        return self._telling.left(contact_of(write), values, _age(write)) if values else {}

    def _draft(self, write: Write) -> Draft:
        completion = _completion(write)
        return Draft(contact_id=contact_of(write), text=self._text(write), at=completion.completed_at)

    def _text(self, write: Write) -> str:
        return completion_text(_completion(write), self._pages.key(write))

    def _update(self, write: Write, window: Window) -> Applied:
        has_filled = self._fill(write, window)
        note_id, has_written = self._pages.bring(write, self._draft(write), window)
        return _applied(write, note_id, changed=has_filled or has_written)

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        del since
        found = self._pages.look(writes)
        return {write.entity: self._beside(write, found[write.entity]) for write in writes if write.entity in found}

    def _beside(self, write: Write, found: Found) -> Found:
        """With the contact, where the note is not all."""
        if not self._left(write):
            return found
        contact = self._fields.read(contact_of(write)) or {}
        return Found(
            destination_id=found.destination_id, details=found.details, current={**found.current, "contact": contact}
        )

    def differs(self, write: Write, found: Found) -> bool:
        if write.is_removal:
            return self._pages.is_to_be_withdrawn(write, found)
        values = self._left(write)
        if values and lacks(found.current.get("contact") or {}, values):
            return True
        return self._pages.differs(write, found, self._text(write))

    def preview(self, write: Write) -> Sequence[Preview]:
        if write.is_removal:
            return [self._pages.preview_of_withdrawal(write)]
        note = self._draft(write).body(self._account.settings.note_type)
        fields = [{"name": name, "value": str(value), "displayName": name} for name, value in self._left(write).items()]
        put = Preview(method="PUT", route=ROUTE.format(id=contact_of(write)), body={"customFields": fields})
        written = Preview(method="POST", route=BULK, body={"notes": [note]})
        if write.link is not None:
            written = Preview(method="PUT", route=ONE.format(id=write.link.destination_id), body=note)
        return [put, written] if fields else [written]


def _completion(write: Write) -> FormCompletion:
    assert isinstance(write.desired, FormCompletion)  # noqa: S101 - the handler gives nothing else
    return write.desired


def _values(write: Write) -> Mapping[str, Any]:
    return {} if write.is_removal else _completion(write).custom_fields


def _age(write: Write) -> Age:
    return age_of(_completion(write).completed_at, write.entity.source_id)


def _applied(write: Write, note_id: str, *, changed: bool) -> Applied:
    details = {**(write.link.details if write.link else {}), "note_id": note_id, "contact_id": contact_of(write)}
    return Applied(destination_id=note_id, details=details, changed=changed)


def _written(write: Write, note: str | Refused | Postponed) -> Answer:
    if isinstance(note, Refused):
        return with_mend(write, note, contact_of(write))
    return _applied(write, note, changed=True) if isinstance(note, str) else note
