"""What is due for a customer, seen without taking any of it, and how long more of it is waited for.

A request that carries a hundred records costs a destination's budget as much as one that carries a single record. So
who finds less than a batch, all of it fresh, leaves it for a moment. Nothing is written for that: the next look decides
anew, from the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A backfill waits long, but is looked at this often at least: a live change that has joined it waits for no backfill.
SHORTEST_STEP_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """Due events of one customer. Times are aware UTC; None: there is none of that kind."""

    #: How many, counted no further than was asked for.
    count: int
    #: When the oldest was detected, of a backfill's and of all others.
    live_since: datetime | None = None
    backfill_since: datetime | None = None
    #: One of them comes again: a retry, a look, what was woken or replayed. It has waited already.
    is_urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class Linger:
    """How long less than a batch may wait for more, in seconds since its oldest event was detected."""

    live_seconds: float = 2.0
    backfill_seconds: float = 20.0

    def until(self, found: Gathering, batch_size: int, now: datetime) -> datetime | None:
        """When to look again; None: serve it now."""
        if not found.count or found.count >= batch_size or found.is_urgent:
            return None
        over = [
            since + timedelta(seconds=seconds)
            for since, seconds in ((found.live_since, self.live_seconds), (found.backfill_since, self.backfill_seconds))
            if since is not None
        ]
        if min(over) <= now:
            return None
        return min(*over, now + timedelta(seconds=max(self.live_seconds, SHORTEST_STEP_SECONDS)))
