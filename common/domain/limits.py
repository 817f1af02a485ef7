"""What a request budget must do, and whose work may use how much of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.domain.customers import Lane
from common.domain.events import Origin


class Share(StrEnum):
    """Whose work a request is: what can wait may not eat what live changes need."""

    LIVE = "live"
    RECONCILIATION = "reconciliation"
    BACKFILL = "backfill"


#: Up to which part of a limit the sum of ALL use may be filled by work of this share. Live changes have a tenth that
#: nobody else may touch; reconciliation, which has a night to finish, has another that no backfill may touch.
SHARE_FRACTIONS: Mapping[Share, float] = {Share.LIVE: 1.0, Share.RECONCILIATION: 0.9, Share.BACKFILL: 0.8}

#: The one place that says whose share a layer's work is on. Nightly is all that a customer in that mode gets, and
#: somebody waits for a replay: both are live. A batch of replays has waited, and does not crowd out what is live.
SHARE_OF_ORIGIN: Mapping[str, Share] = {
    Origin.POLL: Share.LIVE,
    Origin.WEBHOOK: Share.LIVE,
    Origin.NIGHTLY: Share.LIVE,
    Origin.REPLAY: Share.LIVE,
    Origin.BATCH: Share.RECONCILIATION,
    Origin.RECONCILIATION: Share.RECONCILIATION,
    Origin.FULL: Share.RECONCILIATION,
    Origin.BACKFILL: Share.BACKFILL,
}

#: Where only a throttle stands in the way, a caller asks again after this: lifting it takes effect within a minute,
#: also for customers that were parked because of it; and a stopped customer costs one look a minute.
THROTTLE_RECHECK_SECONDS = 60
#: No `Retry-After` closes a budget for longer: asking once a day harms nobody. Also what a clock that was set between
#: reading it twice can do at most.
LONGEST_CLOSE_SECONDS = 86_400


def share_of(origin: str) -> Share:
    """The share of an `Origin`, or of a newer release's word for one: that counts as live, like any change."""
    return SHARE_OF_ORIGIN.get(origin, Share.LIVE)


def allowance(limit: int, share: Share, throttle: float) -> int:
    """Requests that all use together may reach by work of this share; `throttle` is the part that may be used now.

    Never less than one, however small the limit, unless the throttle is 0. `acquire.lua` holds the same formula.
    """
    if throttle <= 0:
        return 0
    # The least part of a request is added, for 100 * 0.29 is 28.999999999999996.
    return max(1, math.floor(limit * SHARE_FRACTIONS[share] * throttle + 1e-9))


@dataclass(frozen=True, kw_only=True)
class BudgetPolicy:
    """How a system limits requests, until its headers say otherwise."""

    #: Name of the system in keys and metrics, e.g. `volunteer`.
    system: str
    #: Requests allowed in any window.
    limit: int
    window_seconds: int
    #: Part of a limit learned from headers that we allow ourselves.
    use_fraction: float = 0.8
    #: Its answers carry the limit and what remains of it, so one request can restore a lost count.
    reports_usage: bool = False
    #: The customer's, for throttles of one lane; None: only throttles of all lanes count.
    lane: Lane | None = None


def source_policy(system: str, requests_per_minute: int, *, lane: Lane) -> BudgetPolicy:
    """How a source is asked: by the minute, and its answers say nothing of the limit (facts: volunteer-api 3)."""
    return BudgetPolicy(system=system, limit=requests_per_minute, window_seconds=60, lane=lane)


def destination_policy(system: str, requests_per_hour: int, *, lane: Lane) -> BudgetPolicy:
    """How a destination is asked: by the hour, and its answers carry limit and usage (facts: crm-api 2.1)."""
    return BudgetPolicy(system=system, limit=requests_per_hour, window_seconds=3600, reports_usage=True, lane=lane)


@dataclass(frozen=True, kw_only=True)
class RateHints:
    """What an answer's headers told about the limit; None where they were silent."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None


class Budget(Protocol):
    """Requests that customers may still make, over all processes."""

    def acquire(self, customer_id: str, policy: BudgetPolicy, share: Share) -> None:
        """Take one request. Raises BudgetExhausted with the moment from which one may be free."""
        ...

    def learn(self, customer_id: str, policy: BudgetPolicy, hints: RateHints) -> None:
        """Adopt the limit and usage that the system itself reports."""
        ...

    def close(self, customer_id: str, policy: BudgetPolicy, until: datetime) -> None:
        """The system said to wait: no process asks it for this customer before `until`, a day at most."""
        ...
