"""Dates of projects, and projects without any, as volunteer opportunities. Facts: crm-api 1.7.

Where the organization has no volunteer module, nothing is written: the link holds the name by which hours are imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common.domain.entities import EntityKey
from common.domain.errors import RecordRefused
from common.domain.writes import Answer, Applied, Found, Link, Matched, NeedsReview, Preview, Write
from common.http.client import ApiClient
from processor.destinations.crm_plus import opportunity as shown
from processor.destinations.crm_plus.account import Account
from processor.destinations.crm_plus.module import VolunteerModule, is_virtual, virtual_id
from processor.destinations.crm_plus.reading import NOT_FOUND, Row, every_row, nothing_sent, one_row

ROUTE = "/api/VolunteerOpportunity"
ONE = f"{ROUTE}/{{id}}"


class Opportunities:
    """Implements `Shape` for projects and their dates."""

    def __init__(self, account: Account) -> None:
        self._api = account.api
        self._source = account.settings.reference_source
        self._module = VolunteerModule(account)

    def check(self, write: Write) -> None:
        if not write.is_removal:
            shown.refuse_invalid(shown.happening(write), write.entity)

    def group(self, write: Write) -> str:
        return write.operation

    def group_limit(self, write: Write) -> int:
        del write
        return 1

    def match(self, writes: Sequence[Write]) -> Mapping[EntityKey, Matched | NeedsReview]:
        """By our key: one that an earlier life of this hub made is not made again."""
        there = self._with_our_key(writes)
        details = {write.entity: shown.remembered(shown.happening(write)) for write in writes}
        return {
            entity: Matched(destination_id=str(row["id"]), details=details[entity], rung="reference")
            for entity, row in there.items()
        }

    def apply(self, writes: Sequence[Write]) -> Sequence[Answer]:
        return [self._apply(write) for write in writes]

    def _apply(self, write: Write) -> Answer:
        with nothing_sent():
            there = self._module.is_there()
        if write.is_removal and (write.link is None or is_virtual(write.link.destination_id)):
            return self._nothing(write)
        if write.link is not None and not is_virtual(write.link.destination_id):
            return self._update(write, write.link.destination_id) if there else self._nothing(write)
        if not there:
            return self._nothing(write)
        return self._create(write) if write.link is None else self._realise(write)

    def _nothing(self, write: Write) -> Answer:
        """Without the module there is nothing to write, and nothing to take back."""
        kept = write.link if write.link is not None and not is_virtual(write.link.destination_id) else None
        destination_id = kept.destination_id if kept else virtual_id(shown.name_of(shown.happening(write)))
        return self._applied(write, destination_id, changed=False)

    def _create(self, write: Write) -> Answer:
        answer = self._api.send("POST", ROUTE, body=shown.body(shown.happening(write), self._key(write)))
        return self._applied(write, str(one_row(answer.json(), f"POST {ROUTE}")["id"]), changed=True)

    def _realise(self, write: Write) -> Answer:
        """The organization has got the module since. An update is not looked at before, so we look here."""
        with nothing_sent():
            there = self._with_our_key([write]).get(write.entity)
        return self._create(write) if there is None else self._update(write, str(there["id"]))

    def _update(self, write: Write, destination_id: str) -> Answer:
        """GET, change, PUT the whole: the specification says that an omitted property is cleared."""
        with nothing_sent():
            current = self._read(destination_id)
        if current is None:
            return self._gone(write, destination_id)
        whole = self._changed(write, current)
        if whole is not None:
            self._api.send("PUT", ONE, names={"id": destination_id}, body=whole)
        return self._applied(write, destination_id, changed=whole is not None)

    def _read(self, destination_id: str) -> Row | None:
        answer = self._api.read(ONE, names={"id": destination_id}, accept=(NOT_FOUND,))
        return None if answer.status == NOT_FOUND else one_row(answer.json(), f"GET {ONE}")

    def _gone(self, write: Write, destination_id: str) -> Answer:
        """Staff have deleted it. Never made again without a word. Raises RecordRefused."""
        if write.is_removal:
            return self._applied(write, destination_id, changed=False)
        raise RecordRefused(
            f"customer {write.entity.customer_id}: {write.entity.resource} record: CRM+ has no opportunity "
            f"{destination_id} any more; it was deleted there: discard this, or ask us to unlink it",
            reason="opportunity_gone",
            field="id",
            status=NOT_FOUND,
        )

    def _changed(self, write: Write, current: Mapping[str, Any]) -> dict[str, Any] | None:
        """The whole of it as it should be; None if it is so."""
        wanted = self._changes(write, current)
        return {**current, **wanted} if wanted else None

    def _changes(self, write: Write, current: Mapping[str, Any]) -> dict[str, Any]:
        return changes_at(write, current, self._key(write))

    def look(self, writes: Sequence[Write], since: datetime) -> Mapping[EntityKey, Found]:
        del since  # the list shows no times
        details = {write.entity: shown.remembered(shown.happening(write)) for write in writes}
        return {
            entity: Found(destination_id=str(row["id"]), details=details[entity], current=row)
            for entity, row in self._with_our_key(writes).items()
        }

    def _with_our_key(self, writes: Sequence[Write]) -> Mapping[EntityKey, Row]:
        """The oldest row with each one's key: 1,000 rows a request, however many are asked for."""
        if not self._module.is_there():
            return {}
        return with_our_keys(self._api, [write.entity for write in writes], self._source)

    def differs(self, write: Write, found: Found) -> bool:
        return bool(self._changes(write, found.current))

    def preview(self, write: Write) -> Sequence[Preview]:
        if not self._module.is_there():
            return []
        if write.link is None or is_virtual(write.link.destination_id):
            return [Preview(method="POST", route=ROUTE, body=shown.body(shown.happening(write), self._key(write)))]
        whole = self._changed(write, self._read(write.link.destination_id) or {})
        return [] if whole is None else [Preview(method="PUT", route=ONE, body=whole)]

    def _key(self, write: Write) -> str:
        return shown.key_of(write.entity, self._source)

    def _applied(self, write: Write, destination_id: str, *, changed: bool) -> Applied:
        """Of what is removed, the link keeps what it had."""
        kept = _details(write.link)
        told = kept if write.is_removal else {**kept, **shown.remembered(shown.happening(write))}
        return Applied(destination_id=destination_id, details=told, changed=changed)


def changes_at(write: Write, current: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The fields of an opportunity that are not as the write says, with their new values."""
    if write.is_removal:
        return {"isActive": False} if current.get("isActive") in (True, "true", "True", 1) else {}
    return shown.changes(shown.happening(write), key, current)


def with_our_keys(api: ApiClient, entities: Sequence[EntityKey], reference_source: str) -> Mapping[EntityKey, Row]:
    """The oldest row with each one's key. Raises PageUnreadable."""
    wanted = {shown.key_of(entity, reference_source): entity for entity in entities}
    found: dict[EntityKey, Row] = {}
    for row in sorted(every_row(api, ROUTE), key=lambda row: int(row["id"])):
        for key in shown.keys_in(row.get("description"), reference_source):
            if key in wanted:
                found.setdefault(wanted[key], row)
    return found


def _details(link: Link | None) -> dict[str, Any]:
    return dict(link.details) if link is not None else {}
