"""What may grow, and by how much. Growth is the Theil-Sen slope times the judged time, so in the series' own unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Pools fill, caches warm, allocators settle: this share of the time is not judged.
WARM_UP = 0.25


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Growth is allowed up to the larger of the two; and no value may ever exceed `ceiling`."""

    growth: float = 0.0
    #: Of the median.
    share: float = 0.0
    ceiling: float | None = None
    #: False: growth is told, not judged.
    is_judged: bool = True

    def allowed(self, median: float) -> float:
        return max(self.growth, self.share * median)


TOLD = Bound(is_judged=False)
#: By the series' kind, which is its name up to the colon.
BOUNDS: Mapping[str, Bound] = {
    # Megabytes. An allocator's arenas wander by some per cent; a leak of a kilobyte per event is 7 MB an hour here.
    "rss": Bound(growth=4, share=0.05),
    "file descriptors": Bound(growth=4),
    # Sessions by application: pools open more for a moment, and close what is over their size.
    "backends": Bound(growth=3),
    "redis clients": Bound(growth=3),
    # Megabytes.
    "redis memory": Bound(growth=1, share=0.10),
    # A customer's queue is a key while it has messages.
    "redis keys": Bound(growth=20, share=0.25),
    # Autovacuum comes once a minute, to tables of which a fifth is dead: a sawtooth whose teeth grow with the tables.
    "dead tuples": Bound(growth=5_000, share=0.25),
    # Seconds from detection to the end, of what ended lately; at most a minute even with faults.
    "delay p50": Bound(growth=1, share=0.5),
    "delay p99": Bound(growth=5, share=0.5, ceiling=120),
    # Locks that outlast the work they were taken for, and work of one customer that never ends.
    "slots without work": Bound(ceiling=0),
    "pending": Bound(growth=50, share=0.5),
}


#: The stand-in keeps both accounts, their history and its journal in memory: it grows, and is no part of the fleet.
NOT_OURS = "sandbox"


def bound_of(name: str) -> Bound:
    kind, _, whose = name.partition(": ")
    return TOLD if whose == NOT_OURS else BOUNDS.get(kind, TOLD)
