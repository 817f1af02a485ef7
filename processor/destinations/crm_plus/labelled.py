"""Group memberships: the group's tag on the person's contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from common.domain.entities import EntityKey
from common.domain.resources import GROUPS
from common.domain.writes import Answer, Applied, Found, Link, Matched, NeedsReview, Preview, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.beside import parent
from processor.destinations.crm_plus.capabilities import BULK_ROWS
from processor.destinations.crm_plus.joins import BULK, SINGLE, Joins
from processor.destinations.crm_plus.persons import as_sent, contact_of
from processor.destinations.crm_plus.singly import Window


class Labelled:
    """Implements `Shape` for group memberships."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._joins = Joins(account)

    def check(self, write: Write) -> None: ...

    def group(self, write: Write) -> str:
        """All of one tag: who carries it is read once for them."""
        return "remove" if write.is_removal else f"add/{_tag_id(write)}"

    def group_limit(self, write: Write) -> int:
        return 1 if write.is_removal else BULK_ROWS

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes  # a tag that is there already is adopted when it would be added
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        if writes[0].is_removal:
            return [self._removed(write) for write in writes]
        label = _label(writes[0])
        return self._joins.add(writes, label.destination_id, str(label.details.get("tag") or ""), Window(self._account))

    def _removed(self, write: Write) -> Applied:
        changed = self._joins.remove(write)
        link = write.link
        return Applied(
            destination_id=link.destination_id if link else "", details=link.details if link else {}, changed=changed
        )

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        """A removal of what has no link yet is found as something nobody knows, for what it hangs on is not told."""
        del since
        unknown = [write for write in writes if not contact_of(write) or not _tag_id(write)]
        found = {write.entity: Found(destination_id="", details={}, current={}) for write in unknown}
        rest = sorted((write for write in writes if write.entity not in found), key=_tag_id)
        for tag_id, own in groupby(rest, key=_tag_id):
            found |= self._joins.look(list(own), tag_id)
        return found

    def differs(self, write: Write, found: Found) -> bool:
        """What is to be taken away and is there."""
        del found
        return write.is_removal

    def preview(self, write: Write) -> Sequence[Preview]:
        if write.is_removal:
            tie = str(write.link.details.get("contact_tag_id") or "") if write.link else ""
            return [Preview(method="DELETE", route=f"{SINGLE}/{tie}", body=None)]
        ids = {"tagId": as_sent(_tag_id(write)), "contactId": as_sent(contact_of(write))}
        return [
            Preview(method="POST", route=BULK, body={"tagId": ids["tagId"], "contactIds": [ids["contactId"]]}),
            Preview(method="POST", route=f"{SINGLE} (where there is no {BULK})", body=ids),
        ]


def _label(write: Write) -> Link:
    label = parent(write, GROUPS)
    assert label is not None  # noqa: S101 - it waits until its group is linked
    return label


def _tag_id(write: Write) -> str:
    """Of the group as linked now, else as it was when written; empty if neither is known."""
    label = parent(write, GROUPS)
    if label is not None:
        return label.destination_id
    return str(write.link.details.get("tag_id") or "") if write.link else ""
