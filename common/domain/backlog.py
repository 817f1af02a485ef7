"""The backlog: open events of a customer, and from how many on nothing is added to them.

A destination that is down lets its events wait in PostgreSQL, and polling goes on. But not for ever: what can wait
longest stops feeding first, so that live changes still get in; then they stop too. It ends by itself below the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from common.domain.limits import Share, share_of


@dataclass(frozen=True, kw_only=True)
class BacklogLimits:
    """In open events of one customer; at the limit a run waits."""

    #: Of layers that can wait: backfill and reconciliation. About eight hours of the destination's 1,200 requests an
    #: hour at one write each.
    backfill: int = 10_000
    #: Of live changes. Beyond it, reading more only moves the wait from the source into our tables.
    poll: int = 50_000

    def of(self, origin: str) -> int:
        """The limit of an `Origin`, or of a newer release's word for one."""
        return self.poll if share_of(origin) is Share.LIVE else self.backfill

    def held_back(self, open_events: int) -> str:
        """Who waits at this many: `backfill`, `poll` (and so backfill too), or nobody: empty."""
        if open_events >= self.poll:
            return "poll"
        return "backfill" if open_events >= self.backfill else ""


class Backlog(Protocol):
    """The count behind it."""

    def open_events(self, customer_id: str, at_most: int) -> int:
        """How many of the customer's events are still to be applied, counted no further than `at_most`."""
        ...
