"""What a request budget must do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Share(StrEnum):
    """Whose work a request is: backfill may not eat what live changes need."""

    LIVE = "live"
    BACKFILL = "backfill"


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


def source_policy(system: str, requests_per_minute: int) -> BudgetPolicy:
    """How a source is asked: by the minute, and its answers say nothing of the limit (facts: volunteer-api 3)."""
    return BudgetPolicy(system=system, limit=requests_per_minute, window_seconds=60)


def destination_policy(system: str, requests_per_hour: int) -> BudgetPolicy:
    """How a destination is asked: by the hour, and its answers carry limit and usage (facts: crm-api 2.1)."""
    return BudgetPolicy(system=system, limit=requests_per_hour, window_seconds=3600, reports_usage=True)


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
