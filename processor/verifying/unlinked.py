"""What the destination shows as ours and no link leads to: a double, or a record whose link was lost.

A full reading finds them all. A later one reads only what was modified, so that those which were found before are asked
for by their ids, until they are linked, archived or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from common.domain.drift import Drift
from common.domain.listings import Lists
from common.domain.verifying import Differing, Unlinked
from common.domain.writes import Found
from common.storage.verified import PostgresVerified, Records


class Strays:
    """Of one resource of a customer, collected while pages are read."""

    def __init__(self, store: PostgresVerified, customer_id: str, resource: str) -> None:
        self._store = store
        self._customer_id = customer_id
        self._resource = resource
        self._found: dict[str, Unlinked] = {}

    @property
    def found(self) -> Collection[Unlinked]:
        """As they were when they were read: a link may have come since."""
        return self._found.values()

    def clear(self) -> None:
        """All is read again."""
        self._found.clear()

    def see(self, lists: Lists, shown: Iterable[Found]) -> None:
        """Keep what of it claims to be ours and has no link."""
        claims = {each.destination_id: lists.claimed(self._resource, each) for each in shown}
        own = {destination_id: source_ids[0] for destination_id, source_ids in claims.items() if source_ids}
        with self._store.records(self._customer_id, self._resource) as records:
            linked = records.linked_ids(list(own))
        self._found |= {
            destination_id: Unlinked(destination_id=destination_id, source_id=source_id)
            for destination_id, source_id in own.items()
            if destination_id not in linked
        }

    def see_again(self, lists: Lists, known: Sequence[str], ask: Callable[[Callable[[], Any]], Any]) -> None:
        """`known`: destination ids of those that the last check has named."""
        if known:
            self.see(lists, ask(lambda: lists.read_back(self._resource, known)).values())


def unlinked(records: Records, resource: str, found: Collection[Unlinked]) -> list[Differing]:
    """Those of them that still are. What is only on its way to a link is told as not yet applied, and not here."""
    linked = records.linked_ids([each.destination_id for each in found])
    left = [each for each in found if each.destination_id not in linked]
    source_ids = [each.source_id for each in left]
    have_link = {record.entity.source_id for record in records.of_ids(source_ids) if record.link is not None}
    coming = {key for key, last in records.last_events(source_ids).items() if last.is_open} - have_link
    return [
        Differing(
            resource=resource,
            source_id=each.source_id,
            drift=Drift.UNLINKED_AT_DESTINATION,
            destination_id=each.destination_id,
        )
        for each in left
        if each.source_id not in coming
    ]
