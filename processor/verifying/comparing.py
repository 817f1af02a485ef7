"""Both sides as hash trees, built in one pass over what the store has; then the records of the buckets that differ.

The destination keeps no version of ours: a record that is there as mapped is there in the mirror's version, and one
that is not in the version that was last applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from common.domain.drift import AtDestination, AtSource, Standing, drift_of
from common.domain.hash_tree import HashTree, Leaf, bucket_of, diff
from common.domain.mapping import FieldMapping
from common.domain.verifying import Differing, KnownRecord, LastEvent
from common.domain.writes import REMOVED
from processor.verifying.expected import NOTHING, Expected, expected

#: Records to ask for by their ids that are remembered of one pass; where there are more, all are read again.
MOST_UNREAD = 10_000


@dataclass(frozen=True, kw_only=True)
class Sides:
    """What each side has of one record; None: it has none."""

    left: Leaf | None
    right: Leaf | None
    #: It was not found when it was last looked for, or what it should be has changed since.
    is_unread: bool = False


@dataclass(kw_only=True)
class Trees:
    """Both sides of a resource."""

    left: HashTree = field(default_factory=HashTree)
    right: HashTree = field(default_factory=HashTree)
    #: Live records of the mirror.
    mirrored: int = 0
    #: Source ids, at most `MOST_UNREAD`.
    unread: list[str] = field(default_factory=list)


def sides(record: KnownRecord, what: Expected) -> Sides:
    """`what` should be there of it."""
    left = Leaf(record.version, what.mapped_hash) if what.is_wanted else None
    read = record.read_of_link
    if not what.mapped_hash or record.link is None:
        return Sides(left=left, right=None)
    if read is None:
        return Sides(left=left, right=None, is_unread=True)
    if read.mapped_hash == what.mapped_hash:
        return Sides(left=left, right=left)
    is_unread = read.wanted_hash != what.mapped_hash
    if read.mapped_hash == REMOVED:
        return Sides(left=left, right=None, is_unread=is_unread)
    return Sides(left=left, right=Leaf(record.link.applied_version, read.mapped_hash), is_unread=is_unread)


def build(records: Iterable[KnownRecord], mapping: FieldMapping, *, with_gone: bool) -> Trees:
    """`with_gone`: also what the source has no more is to be seen at the destination."""
    trees = Trees()
    for record in records:
        trees.mirrored += not record.is_gone
        each = sides(record, _expected(record, mapping, with_gone=with_gone))
        source_id = record.entity.source_id
        if each.left is not None:
            trees.left.add(source_id, each.left)
        if each.right is not None:
            trees.right.add(source_id, each.right)
        if each.is_unread and len(trees.unread) < MOST_UNREAD:
            trees.unread.append(source_id)
    return trees


def unequal(
    records: Iterable[KnownRecord],
    mapping: FieldMapping,
    trees: Trees,
    *,
    with_gone: bool,
    also: Mapping[str, AtSource],
) -> Iterator[tuple[KnownRecord, Sides, Expected]]:
    """The very records that differ, and those of which the source has shown something else. The same records as before:
    only those of the buckets that differ are mapped again.
    """
    buckets = diff(trees.left, trees.right)
    for record in records:
        if bucket_of(record.entity.source_id) not in buckets and record.entity.source_id not in also:
            continue
        what = _expected(record, mapping, with_gone=with_gone)
        each = sides(record, what)
        if each.left != each.right or record.entity.source_id in also:
            yield record, each, what


def _expected(record: KnownRecord, mapping: FieldMapping, *, with_gone: bool) -> Expected:
    return NOTHING if record.is_gone and not with_gone else expected(record, mapping)


def classified(
    record: KnownRecord, each: Sides, what: Expected, last: LastEvent | None, source: AtSource, *, settled: datetime
) -> Differing | None:
    """None: it is the same everywhere after all. `settled`: what we wrote before then the destination must show."""
    drift = drift_of(standing_of(record, each, what, last, source, settled=settled))
    if drift is None:
        return None
    read = record.read_of_link
    return Differing(
        resource=record.entity.resource,
        source_id=record.entity.source_id,
        drift=drift,
        destination_id=record.link.destination_id if record.link else "",
        fields=tuple(name for name in read.fields if name) if read and each.left != each.right else (),
    )


def standing_of(
    record: KnownRecord, each: Sides, what: Expected, last: LastEvent | None, source: AtSource, *, settled: datetime
) -> Standing:
    link = record.link
    return Standing(
        source=source,
        destination=_at_destination(record, each),
        is_open=bool(last and last.is_open),
        last_state=last.state if last else None,
        is_gone=record.is_gone,
        is_linked=link is not None,
        version=record.version,
        applied_version=link.applied_version if link else 0,
        is_applied_as_mapped=bool(link and link.applied_hash == what.mapped_hash),
        is_settling=record.linked_at is not None and record.linked_at > settled,
    )


def _at_destination(record: KnownRecord, each: Sides) -> AtDestination:
    if each.left == each.right:
        return AtDestination.SAME
    if record.read_of_link is None:
        return AtDestination.ABSENT
    return AtDestination.UNREAD if each.is_unread else AtDestination.OTHER
