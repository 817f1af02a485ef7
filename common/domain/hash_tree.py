"""A hash tree over (id, version, mapped hash): equal roots are equal sides, and where they are not it descends to what
differs.

Leaves fall into 2^bits buckets by a hash of their id. A bucket is the sum, modulo 2^256, of its leaves' SHA-256
digests, with their count: it can be added to in any order, and a tree takes the same memory for ten leaves as for ten
million. Two different sets with one sum do not come about by chance or by a fault; whoever may choose millions of
records at will could construct them, and is not whom this guards against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

#: 4,096 buckets: of 100,000 records 24 lie in each, so one that differs costs a look at 24.
BITS = 12
#: The order of the group in which digests are added.
MODULUS = 1 << 256
DIGEST_BYTES = 32
#: Holds any count of leaves.
COUNT_BYTES = 8


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a side has of one record."""

    version: int
    mapped_hash: str


class Kind(StrEnum):
    """How a record differs, seen from the left."""

    MISSING = "missing"  # only the left has it
    ADDED = "added"  # only the right has it
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One record on which the sides do not agree."""

    source_id: str
    kind: Kind
    left: Leaf | None
    right: Leaf | None


def bucket_of(source_id: str, bits: int = BITS) -> int:
    """0-based; the same on every machine and in every release."""
    digest = hashlib.blake2b(source_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - bits)


class HashTree:
    """One side. `add` each record once, in any order; then compare."""

    def __init__(self, bits: int = BITS) -> None:
        self.bits = bits
        self._sums = [0] * (1 << bits)
        self._counts = [0] * (1 << bits)

    def add(self, source_id: str, leaf: Leaf) -> None:
        """Not after the tree was asked for its root."""
        assert "levels" not in self.__dict__, "the tree is closed"  # noqa: S101 - a defect of ours
        bucket = bucket_of(source_id, self.bits)
        self._sums[bucket] = (self._sums[bucket] + _digest(source_id, leaf)) % MODULUS
        self._counts[bucket] += 1

    @property
    def count(self) -> int:
        return sum(self._counts)

    @property
    def root(self) -> str:
        """Hex digest of everything."""
        return self.levels[0][0].hex()

    @cached_property
    def levels(self) -> list[list[bytes]]:
        """Digests from the root down to the buckets."""
        level = [
            hashlib.sha256(count.to_bytes(COUNT_BYTES, "big") + total.to_bytes(DIGEST_BYTES, "big")).digest()
            for count, total in zip(self._counts, self._sums, strict=True)
        ]
        found = [level]
        while len(level) > 1:
            level = [hashlib.sha256(level[at] + level[at + 1]).digest() for at in range(0, len(level), 2)]
            found.append(level)
        return found[::-1]


def _digest(source_id: str, leaf: Leaf) -> int:
    """Lengths go with the texts, so that no two leaves are spelled alike."""
    text = f"{len(source_id)}:{source_id}{leaf.version}:{leaf.mapped_hash}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def diff(left: HashTree, right: HashTree) -> frozenset[int]:
    """The buckets that differ, found by descending from the root. Empty: the sides are equal."""
    assert left.bits == right.bits, "trees of one shape are compared"  # noqa: S101 - a defect of ours
    nodes = [0] if left.root != right.root else []
    for mine, theirs in zip(left.levels[1:], right.levels[1:], strict=True):
        nodes = [at for node in nodes for at in (2 * node, 2 * node + 1) if mine[at] != theirs[at]]
    return frozenset(nodes)


def differences(left: Mapping[str, Leaf], right: Mapping[str, Leaf]) -> Iterator[Difference]:
    """The very records, in order of their ids; given are the leaves of the buckets that differ."""
    for source_id in sorted(left.keys() | right.keys()):
        mine, theirs = left.get(source_id), right.get(source_id)
        if mine != theirs:
            yield Difference(source_id=source_id, kind=_kind(mine, theirs), left=mine, right=theirs)


def _kind(left: Leaf | None, right: Leaf | None) -> Kind:
    if right is None:
        return Kind.MISSING
    return Kind.ADDED if left is None else Kind.CHANGED
