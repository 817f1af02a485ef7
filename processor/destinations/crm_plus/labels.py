"""Groups and certificates: the tag of that name, which somebody has made. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.certificates import Certificate
from common.domain.entities import EntityKey
from common.domain.groups import Group
from common.domain.writes import Answer, Applied, Found, Matched, NeedsReview, Preview, Refused, Write
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.reading import nothing_sent
from processor.destinations.crm_plus.refusing import invalid
from processor.destinations.crm_plus.tags import Tags

#: All are answered from one remembered list; the number only bounds a transaction of ours.
AT_ONCE = 100


class Labels:
    """Implements `Shape` for groups and certificates: a link to a tag, which keeps it whatever is renamed."""

    def __init__(self, account: Account) -> None:
        self._tags = Tags(account)
        self._settings = account.settings

    def check(self, write: Write) -> None: ...

    def group(self, write: Write) -> str:
        return write.operation

    def group_limit(self, write: Write) -> int:
        del write
        return AT_ONCE

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        del writes
        return {}

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        with nothing_sent():
            return [self._answer(write) for write in writes]

    def _answer(self, write: Write) -> Applied | Refused:
        tag_id = self._tag_of(write)
        if tag_id is None:
            return _missing(write, self._wanted(write))
        return Applied(destination_id=tag_id, details=self._details(write), changed=False)

    def _tag_of(self, write: Write) -> str | None:
        linked = write.link.destination_id if write.link else ""
        if write.is_removal or (linked and self._tags.is_known(linked)):
            return linked
        return self._tags.named(self._wanted(write))

    def _wanted(self, write: Write) -> str:
        template = self._settings.group_tag if isinstance(write.desired, Group) else self._settings.certificate_tag
        return template.replace("{name}", _name(write))

    def _details(self, write: Write) -> dict[str, Any]:
        """`name` as the source has it now; `tag` as it was called when it was found."""
        known = write.link.details if write.link else {}
        return {**known, "name": _name(write), "tag": known.get("tag") or self._wanted(write)}

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        del since
        tags = {write.entity: (write, self._tag_of(write)) for write in writes}
        return {
            entity: Found(destination_id=tag_id, details=self._details(write), current={})
            for entity, (write, tag_id) in tags.items()
            if tag_id
        }

    def differs(self, write: Write, found: Found) -> bool:
        del write, found
        return False

    def preview(self, write: Write) -> Sequence[Preview]:
        del write
        return []


def _name(write: Write) -> str:
    desired = write.desired
    assert isinstance(desired, Group | Certificate)  # noqa: S101 - the handlers give nothing else
    return desired.name.strip()


def _missing(write: Write, name: str) -> Refused:
    mend = f"create the tag {name!r} in CRM+ and replay; CRM+ is asked again ten minutes after the last time"
    return invalid(write, "name", mend, reason="tag_missing")
