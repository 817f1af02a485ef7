"""Earned certificates: the certificate's tag on the person's contact, and a note that says until when it is valid.

The tag comes first, for it is found again by looking; the note last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from common.domain.certificates import EarnedCertificate
from common.domain.entities import EntityKey
from common.domain.errors import CustomerBlocked, RateLimited, SystemUnavailable, UnknownOutcome
from common.domain.resources import CERTIFICATES
from common.domain.writes import Answer, Applied, Found, Link, Matched, NeedsReview, Postponed, Preview, Refused, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.beside import parent
from processor.destinations.crm_plus.joins import BULK, Joins
from processor.destinations.crm_plus.notebook import BULK as NOTES_BULK
from processor.destinations.crm_plus.notebook import Draft, Notebook
from processor.destinations.crm_plus.pages import Pages
from processor.destinations.crm_plus.persons import as_sent, contact_of
from processor.destinations.crm_plus.reading import nothing_sent
from processor.destinations.crm_plus.refusing import invalid
from processor.destinations.crm_plus.singly import Window, one_by_one
from processor.destinations.crm_plus.wording import certificate_text

#: Without the bulk endpoints one takes two requests, and all must end within one deadline.
AT_ONCE = 25


class Earned:
    """Implements `Shape` for earned certificates. The destination id is the tie's, `note_id` is in the details."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._joins = Joins(account)
        self._book = Notebook(account)
        self._pages = Pages(account, self._book)

    def check(self, write: Write) -> None: ...

    def group(self, write: Write) -> str:
        return f"{write.operation}/{_tag_id(write)}"

    def group_limit(self, write: Write) -> int:
        return AT_ONCE if write.link is None and not write.is_removal else 1

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        window = Window(self._account)
        if writes[0].is_removal:
            return [self._removed(write, window) for write in writes]
        with nothing_sent():
            problem = self._book.type_problem()
        if problem is not None:
            return [invalid(write, "note_type", problem) for write in writes]
        label = _label(writes[0])
        tagged = self._joins.add(writes, label.destination_id, str(label.details.get("tag") or ""), window)
        if writes[0].link is None:
            return self._noted(writes, tagged, window)
        pairs = list(zip(writes, tagged, strict=True))
        return one_by_one(window, pairs, lambda pair: self._brought(*pair, window))

    def _noted(self, writes: Sequence[Write], tagged: Sequence[Answer], window: Window) -> Sequence[Answer]:
        drafts = [self._draft(w) for w, tag in zip(writes, tagged, strict=True) if isinstance(tag, Applied)]
        with _half_done(is_so=any(isinstance(tag, Applied) and tag.changed for tag in tagged)):
            notes = iter(self._book.write(drafts, window))
        return [_with_note(tag, next(notes)) if isinstance(tag, Applied) else tag for tag in tagged]

    def _brought(self, write: Write, tagged: Answer, window: Window) -> Answer:
        if not isinstance(tagged, Applied):
            return tagged
        note_id, has_written = self._pages.bring(write, self._draft(write), window)
        return _noted(tagged, note_id, changed=tagged.changed or has_written)

    def _draft(self, write: Write) -> Draft:
        earned = _earned(write)
        return Draft(contact_id=contact_of(write), text=self._text(write), at=earned.earned_at)

    def _text(self, write: Write) -> str:
        name = str(_label(write).details.get("name") or "")
        return certificate_text(name, _earned(write), self._pages.key(write))

    def _removed(self, write: Write, window: Window) -> Applied:
        has_marked = self._pages.mark_withdrawn(write, window)
        has_untied = self._joins.remove(write)
        assert write.link is not None  # noqa: S101 - both have raised without one
        return Applied(
            destination_id=write.link.destination_id, details=write.link.details, changed=has_marked or has_untied
        )

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        """By the tag: without it there is no note yet. Of a removal without a link nobody knows."""
        del since
        found: dict[EntityKey, Found] = {}
        for tag_id in dict.fromkeys(_tag_id(write) for write in writes):
            own = [write for write in writes if _tag_id(write) == tag_id]
            found |= self._joins.look(own, tag_id) if tag_id else {write.entity: UNKNOWN for write in own}
        notes = self._pages.look([write for write in writes if _tag_id(write) and write.entity in found])
        return {entity: _both(tag, notes.get(entity)) for entity, tag in found.items()}

    def differs(self, write: Write, found: Found) -> bool:
        if write.is_removal or "note" not in found.current:
            return True
        return self._pages.differs(write, found, self._text(write))

    def preview(self, write: Write) -> Sequence[Preview]:
        if write.is_removal:
            return [self._pages.preview_of_withdrawal(write)]
        tie = {"tagId": as_sent(_tag_id(write)), "contactIds": [as_sent(contact_of(write))]}
        note = self._draft(write).body(self._account.settings.note_type)
        return [
            Preview(method="POST", route=BULK, body=tie),
            Preview(method="POST", route=NOTES_BULK, body={"notes": [note]}),
        ]


UNKNOWN = Found(destination_id="", details={}, current={})


@contextmanager
def _half_done(*, is_so: bool) -> Iterator[None]:
    """Of two requests the first is done: nobody may take both for not sent, or the tag is another's next time."""
    try:
        yield
    except (RateLimited, CustomerBlocked, SystemUnavailable) as error:
        if not is_so:
            raise
        raise UnknownOutcome(f"half of it is done: {error}") from error


def _with_note(tagged: Applied, note: str | Refused | Postponed) -> Answer:
    if isinstance(note, str):
        return _noted(tagged, note, changed=True)
    if isinstance(note, Postponed) and tagged.changed:
        raise UnknownOutcome(f"half of it is done: {note.reason}")
    return note


def _noted(tagged: Applied, note_id: str, *, changed: bool) -> Applied:
    return replace(tagged, details={**tagged.details, "note_id": note_id}, changed=changed)


def _both(tag: Found, note: Found | None) -> Found:
    if note is None:
        return tag
    return Found(destination_id=tag.destination_id, details={**note.details, **tag.details}, current=note.current)


def _earned(write: Write) -> EarnedCertificate:
    assert isinstance(write.desired, EarnedCertificate)  # noqa: S101 - the handler gives nothing else
    return write.desired


def _label(write: Write) -> Link:
    label = parent(write, CERTIFICATES)
    assert label is not None  # noqa: S101 - it waits until its certificate is linked
    return label


def _tag_id(write: Write) -> str:
    label = parent(write, CERTIFICATES)
    if label is not None:
        return label.destination_id
    return str(write.link.details.get("tag_id") or "") if write.link else ""
