"""One resource, checked: read what is needed, compare, and say what was found and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.domain.drift import AtSource, Drift
from common.domain.hash_tree import diff
from common.domain.listings import Listing, Lists
from common.domain.mapping import FieldMapping
from common.domain.verifying import Baseline, Differing, How, Outcome, ResourceCertificate, SourceView
from common.storage.verified import PostgresVerified, Records
from processor.verifying.comparing import Trees, build, classified, unequal
from processor.verifying.reading import Reader, ReadParts
from processor.verifying.unlinked import Strays, unlinked

#: Requests that may go into asking for single records by their ids; where more are missing, a list says it cheaper.
MOST_BY_ID = 20


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A certificate, and where the next reading may begin; None: where this one did."""

    certificate: ResourceCertificate
    baseline: Baseline | None


@dataclass(frozen=True, kw_only=True)
class _ReadDone:
    how: How
    baseline: Baseline | None = None
    listing: Listing | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What every certificate of one check goes by."""

    resource: str
    source: SourceView
    strays: Strays
    #: What we wrote before then the destination must show.
    settled: datetime


class Checking:
    """Of one customer. Raises what the destination raises; what was read until then is remembered."""

    def __init__(self, parts: ReadParts, customer_id: str) -> None:
        self._parts = parts
        self._store: PostgresVerified = parts.store
        self._customer_id = customer_id

    def check(self, resource: str, source: SourceView, *, full: bool = False, deep: bool = False) -> Checked:
        """`full`: all is read again; `deep`: what has no list is looked for record by record."""
        reader = Reader(self._parts, self._customer_id, resource)
        settled = self._parts.clock.now() - timedelta(seconds=self._parts.destination.visibility_seconds)
        look = _Look(resource=resource, source=source, strays=reader.strays, settled=settled)
        done = self._read(reader, resource, full=full, deep=deep)
        certificate, unread = self._certificate(look, done)
        if done.listing is not None and unread:
            done = self._read_missing(reader, done, unread)
            certificate, _ = self._certificate(look, done)
        return Checked(certificate=certificate, baseline=done.baseline)

    def _read(self, reader: Reader, resource: str, *, full: bool, deep: bool) -> _ReadDone:
        lists = self._parts.destination
        if self._parts.mapping.of(resource).is_off:
            return _ReadDone(how=How.NOT, notes=("switched off by the mapping",))
        if not isinstance(lists, Lists):
            return _ReadDone(how=How.NOT, notes=("its destination cannot list what it holds",))
        if not self._parts.watch(lambda: lists.is_kept(resource)):
            return _ReadDone(how=How.NOT, notes=("the account keeps nothing of it that could be read",))
        listing = self._parts.watch(lambda: lists.listing(resource))
        if listing is None:
            return self._without_list(reader, resource, deep=deep)
        return self._listed(reader, lists, resource, listing, full=full)

    def _without_list(self, reader: Reader, resource: str, *, deep: bool) -> _ReadDone:
        if not deep:
            count = self._store.count_links(self._customer_id, resource)
            return _ReadDone(how=How.NOT, notes=(f"not listable: {count:,} links, checked one by one with --deep",))
        reader.one_by_one()
        return _ReadDone(how=How.ONE_BY_ONE, notes=("what the source has no more was not looked for",))

    def _listed(self, reader: Reader, lists: Lists, resource: str, listing: Listing, *, full: bool) -> _ReadDone:
        before = self._store.baseline(self._customer_id, resource)
        strays = self._store.unlinked(self._customer_id, resource)
        if full or before is None or strays is None or not listing.takes_since:
            return _ReadDone(how=How.WHOLE, baseline=reader.whole(lists), listing=listing)
        after = reader.since(lists, before, strays)
        if after is not None:
            return _ReadDone(how=How.SINCE, baseline=after, listing=listing)
        note = "records have vanished at the destination since the last check, so all were read"
        return _ReadDone(how=How.WHOLE, baseline=reader.whole(lists), listing=listing, notes=(note,))

    def _read_missing(self, reader: Reader, done: _ReadDone, unread: Sequence[str]) -> _ReadDone:
        """What is not there, or should be otherwise than when it was read, is asked for by its id before it is said to
        be missing; many of them by another look at the list.
        """
        lists, listing = self._parts.destination, done.listing
        assert isinstance(lists, Lists)  # noqa: S101 - it has given a listing
        assert listing is not None  # noqa: S101 - the caller asks first
        if len(unread) <= MOST_BY_ID * listing.rows_by_id:
            reader.by_ids(lists, unread)
            return done
        if done.how is How.WHOLE:
            note = "too many are missing to be asked for by their ids: the list alone says so"
            return _ReadDone(how=done.how, baseline=done.baseline, listing=listing, notes=(*done.notes, note))
        return _ReadDone(how=How.WHOLE, baseline=reader.whole(lists), listing=listing, notes=done.notes)

    def _certificate(self, look: _Look, done: _ReadDone) -> tuple[ResourceCertificate, Sequence[str]]:
        """All from one moment's picture; and the ids of what is to be looked at again."""
        resource, source, mapping = look.resource, look.source, self._parts.mapping
        is_read = done.how is not How.NOT
        with self._store.snapshot(self._customer_id, resource) as records:
            trees = build(records.each(), mapping, with_gone=done.listing is not None)
            found = _differing(records, mapping, trees, done, look) if is_read else []
            found += [*_not_mirrored(resource, source, found), *unlinked(records, resource, look.strays.found)]
        gap = _gap(source, trees)
        certificate = ResourceCertificate(
            resource=resource,
            at=self._parts.clock.now(),
            outcome=_outcome(found, gap, is_equal=not diff(trees.left, trees.right), is_read=is_read),
            how=done.how,
            source=source,
            mirrored=trees.mirrored,
            expected=trees.left.count,
            held=trees.right.count if is_read else 0,
            left_root=trees.left.root if is_read else "",
            right_root=trees.right.root if is_read else "",
            differing=found,
            notes=(*done.notes, *gap),
        )
        return certificate, trees.unread


def _differing(records: Records, mapping: FieldMapping, trees: Trees, done: _ReadDone, look: _Look) -> list[Differing]:
    also: Mapping[str, AtSource] = look.source.differing
    is_listed = done.listing is not None
    found = list(unequal(records.each(), mapping, trees, with_gone=is_listed, also=also))
    last = records.last_events([record.entity.source_id for record, _, _ in found])
    judged = (
        classified(
            record,
            each,
            what,
            last.get(record.entity.source_id),
            also.get(record.entity.source_id, AtSource.SAME),
            settled=look.settled,
        )
        for record, each, what in found
    )
    return [each for each in judged if each is not None]


def _not_mirrored(resource: str, source: SourceView, found: Sequence[Differing]) -> list[Differing]:
    """What the source has shown otherwise and the comparison did not come by."""
    named = {each.source_id for each in found}
    return [
        Differing(
            resource=resource,
            source_id=source_id,
            drift=Drift.MISSING_FROM_MIRROR if shown is AtSource.NEW else Drift.STALE_MIRROR,
        )
        for source_id, shown in sorted(source.differing.items())
        if source_id not in named
    ]


def _gap(source: SourceView, trees: Trees) -> tuple[str, ...]:
    """A difference in number that no named record explains."""
    if source.total is None:
        return ()
    new = sum(shown is AtSource.NEW for shown in source.differing.values())
    gone = sum(shown is AtSource.GONE for shown in source.differing.values())
    if source.total == trees.mirrored + new - gone:
        return ()
    return (f"the source says {source.total:,} records and the mirror has {trees.mirrored:,}: --full names them",)


def _outcome(found: Sequence[Differing], gap: Sequence[str], *, is_equal: bool, is_read: bool) -> Outcome:
    if found or gap or (is_read and not is_equal):
        return Outcome.DIFFERS
    return Outcome.EQUAL if is_read else Outcome.UNCHECKED
