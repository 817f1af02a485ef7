"""What a customer costs at its source, in requests, as any connector tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spent:
    """In requests. On average: a poll reads what is due, which is more at one and less at another."""

    per_poll: float
    per_day: float
    #: Until everything has been read once.
    backfill: int

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            per_poll=self.per_poll + other.per_poll,
            per_day=self.per_day + other.per_day,
            backfill=self.backfill + other.backfill,
        )


@dataclass(frozen=True, kw_only=True)
class Reckoned:
    """Of one customer."""

    by_resource: Mapping[str, Spent]
    #: One resource can be read in several ways: which, and what each would cost.
    choice_of: str
    ways: Mapping[str, Spent]
    chosen: str
    why: str
    #: Records by resource, as far as known.
    records: Mapping[str, int]
    #: Resources of which too little is known: what they cost is more than the figures say.
    unknown: Sequence[str] = ()
    #: Lists that were asked how many there are, one request each: the mirror does not have them yet.
    asked: Sequence[str] = ()

    @property
    def total(self) -> Spent:
        return sum(self.by_resource.values(), self.ways[self.chosen])
