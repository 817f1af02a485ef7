"""Reads what the destination holds of a resource into the store: all, what was modified since, or record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from common.domain.clock import Clock
from common.domain.destinations import Destination
from common.domain.entities import EntityKey
from common.domain.listings import Listed, ListQuery, Lists
from common.domain.mapping import FieldMapping
from common.domain.records import content_hash
from common.domain.verifying import Baseline, KnownRecord, ReadBack
from common.domain.writes import Found, Link, Write
from common.storage.verified import PostgresVerified
from processor.verifying.expected import Expected, expected
from processor.verifying.unlinked import Strays

T = TypeVar("T")

#: How far their clock may be from ours, for "modified since".
CLOCK_SKEW = timedelta(minutes=10)
#: Writes that are looked for together.
LOOK_ROWS = 50
#: Everything, of a look that is told since when.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ReadParts:
    """What reading takes."""

    destination: Destination
    store: PostgresVerified
    mapping: FieldMapping
    clock: Clock
    links: Callable[[Sequence[EntityKey]], Mapping[EntityKey, Link]]
    #: Every request goes through it: the customer's breaker.
    watch: Callable[[Callable[[], Any]], Any]
    #: Told records read so far.
    tell: Callable[[str, int], None]


class Reader:
    """Of one resource of a customer."""

    def __init__(self, parts: ReadParts, customer_id: str, resource: str) -> None:
        self._parts = parts
        self._customer_id = customer_id
        self._resource = resource
        self._seen = 0
        self._highest = ""
        self.strays = Strays(parts.store, customer_id, resource)

    def whole(self, lists: Lists) -> Baseline:
        """Every page; what was on none of them is forgotten."""
        began, self._seen, self._highest = self._parts.clock.now(), 0, ""
        self.strays.clear()
        for page in self._pages(lists, None):
            self._take(page.found)
        self._parts.store.forget_before(self._customer_id, self._resource, began)
        return Baseline(read_from=began, highest=self._highest, there=self._seen)

    def since(self, lists: Lists, before: Baseline, unlinked: Sequence[str]) -> Baseline | None:
        """What was modified since. None: records have vanished, which no time of modification tells.

        `unlinked`: destination ids of those that the last check has found.
        """
        began, self._highest = self._parts.clock.now(), before.highest
        there = self._ask(lambda: lists.list_count(self._resource, before.highest))
        if there < before.there:
            return None
        self.strays.see_again(lists, unlinked, self._ask)
        since = before.read_from - CLOCK_SKEW - timedelta(seconds=self._parts.destination.visibility_seconds)
        newer = 0
        for page in self._pages(lists, since):
            self._take(page.found)
            newer += sum(_order(each.destination_id) > _order(before.highest) for each in page.found)
        return Baseline(read_from=began, highest=self._highest, there=there + newer)

    def _pages(self, lists: Lists, since: datetime | None) -> Iterator[Listed]:
        after: str | None = ""
        while after is not None:
            query = ListQuery(resource=self._resource, after=after, modified_since=since)
            page: Listed = self._ask(lambda query=query: lists.list_page(query))  # type: ignore[misc]
            self.strays.see(lists, page.found)
            yield page
            self._seen += len(page.found)
            self._parts.tell(self._resource, self._seen)
            after = page.after

    def _take(self, page: Sequence[Found]) -> None:
        """Keep what of it is linked. Ours or not, the highest id counts."""
        found = {each.destination_id: each for each in page}
        self._highest = max([self._highest, *found], key=_order)
        with self._parts.store.records(self._customer_id, self._resource) as records:
            linked = records.linked_to(list(found))
        self._keep((record, found[_linked(record)]) for record in linked)

    def by_ids(self, lists: Lists, source_ids: Sequence[str]) -> None:
        """These, as they are now; what is not there is forgotten."""
        with self._parts.store.records(self._customer_id, self._resource) as records:
            wanted = [record for record in records.of_ids(source_ids) if record.link is not None]
        ids = sorted({_linked(record) for record in wanted}, key=_order)
        found = self._ask(lambda: lists.read_back(self._resource, ids))
        self._keep((record, found[_linked(record)]) for record in wanted if _linked(record) in found)
        self._gone(record for record in wanted if _linked(record) not in found)

    def one_by_one(self) -> None:
        """Each is looked for, as after a write without an answer: of what has no list."""
        began = self._parts.clock.now()
        with self._parts.store.records(self._customer_id, self._resource) as records:
            ready = ((each, expected(each, self._parts.mapping)) for each in records.each() if not each.is_gone)
            wanted = ((record, what) for record, what in ready if what.work is not None and record.link is not None)
            while step := list(islice(wanted, LOOK_ROWS)):
                self._look(step)
        self._parts.store.forget_before(self._customer_id, self._resource, began)

    def _look(self, step: Sequence[tuple[KnownRecord, Expected]]) -> None:
        """What hangs on something without a link cannot be looked for."""
        needs = {record.entity: what.work.needs for record, what in step if what.work is not None}
        parents = self._parts.links([need for own in needs.values() for need in own])
        writes = {
            record.entity: what.write(parents)
            for record, what in step
            if all(need in parents for need in needs[record.entity])
        }
        found = self._ask(lambda: self._parts.destination.look(list(writes.values()), ALWAYS)) if writes else {}
        there = [(record, what) for record, what in step if record.entity in found]
        read = [_read_back(record, what, self._unlike(writes[record.entity], found[record.entity]), self._now)
                for record, what in there]  # fmt: skip
        self._parts.store.save(read)
        self._seen += len(step)
        self._parts.tell(self._resource, self._seen)

    def _keep(self, pairs: Iterable[tuple[KnownRecord, Found]]) -> None:
        """Of what the mapping leaves out nothing is said."""
        given = list(pairs)
        shared = {_linked(record) for record, _ in given if not record.is_gone}
        read = []
        for record, found in given:
            what = expected(record, self._parts.mapping)
            is_shared = record.is_gone and _linked(record) in shared
            if what.mapped_hash:
                read.append(_read_back(record, what, {} if is_shared else self._disagreements(what, found), self._now))
        self._parts.store.save(read)

    def _disagreements(self, what: Expected, found: Found) -> Mapping[str, Any]:
        """Of what cannot be mapped: that something is there, whatever it is."""
        return {"": None} if what.work is None else self._unlike(what.write(), found)

    def _unlike(self, write: Write, found: Found) -> Mapping[str, Any]:
        destination = self._parts.destination
        if isinstance(destination, Lists):
            return destination.disagreements(write, found)
        return {"": None} if destination.differs(write, found) else {}

    @property
    def _now(self) -> datetime:
        return self._parts.clock.now()

    def _gone(self, records: Iterable[KnownRecord]) -> None:
        ids = [record.entity.source_id for record in records]
        self._parts.store.forget(self._customer_id, self._resource, ids)

    def _ask(self, request: Callable[[], T]) -> T:
        answer: T = self._parts.watch(request)
        return answer


def _read_back(record: KnownRecord, what: Expected, there: Mapping[str, Any], now: datetime) -> ReadBack:
    """`there`: what is there in the fields that are not as they should be."""
    unlike = content_hash({"unlike": what.mapped_hash, "there": there}) if there else what.mapped_hash
    return ReadBack(
        entity=record.entity,
        destination_id=_linked(record),
        version=record.version,
        wanted_hash=what.mapped_hash,
        mapped_hash=unlike,
        fields=tuple(sorted(there)),
        read_at=now,
    )


def _linked(record: KnownRecord) -> str:
    assert record.link is not None  # noqa: S101 - only linked records come here
    return record.link.destination_id


def _order(destination_id: str) -> tuple[int, str]:
    """Numbers, as texts."""
    return len(destination_id), destination_id
