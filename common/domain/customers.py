"""A customer: whom we sync for. Every key in the system starts with its id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from common.domain.errors import CustomerInvalid

#: Ids name queues, metrics labels and log fields: short, lower case, safe in all three. Length in characters.
CUSTOMER_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class CustomerStatus(StrEnum):
    """What may happen for a customer."""

    ACTIVE = "active"  # polled and applied
    PAUSED = "paused"  # stopped until a person or a probe says otherwise
    OFFBOARDED = "offboarded"  # served no more: its tokens and its queue are gone, its history stays


class Mode(StrEnum):
    """How a customer wants to be kept in step."""

    CONTINUOUS = "continuous"  # polled at a cadence
    NIGHTLY = "nightly"  # once a night, at a slot of its local time


class Tier(StrEnum):
    """What a customer pays for; decides lane and cadence."""

    PREMIUM = "premium"
    STANDARD = "standard"
    BASIC = "basic"


class Lane(StrEnum):
    """A worker pool."""

    PRIORITY = "priority"
    STANDARD = "standard"
    BACKGROUND = "background"


#: The lane each tier is served by (seed: volunteer-sync-architecture, pattern 6).
LANE_OF_TIER: Mapping[Tier, Lane] = {
    Tier.PREMIUM: Lane.PRIORITY,
    Tier.STANDARD: Lane.STANDARD,
    Tier.BASIC: Lane.BACKGROUND,
}


class System(StrEnum):
    """A system that a customer has an account with, by its role here."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, kw_only=True)
class Customer:
    """One customer, as the workers see it. Tokens are not here: only `credentials` opens them."""

    customer_id: str
    name: str
    tier: Tier
    lane: Lane
    status: CustomerStatus = CustomerStatus.ACTIVE
    #: Why it is paused, in words for an operator; empty when active.
    status_reason: str = ""
    #: Why nothing is applied although it is polled: too much of it fails. Empty: it is applied.
    applying_paused: str = ""
    #: The pause ends by itself then; None: only a person ends it.
    paused_until: datetime | None = None
    #: Waiting for a known time: no delivery before it. None when not parked.
    parked_until: datetime | None = None
    parked_reason: str = ""
    time_zone: str = "UTC"
    region: str = "default"
    #: Poll cadence of this customer alone; None means its tier's.
    poll_interval_seconds: int | None = None
    #: Seconds by resource, of those that are polled apart from the rest.
    cadences: Mapping[str, int] = field(default_factory=dict)
    mode: Mode = Mode.CONTINUOUS
    #: Local times between which a backfill may read, as in `22:00-06:00`; empty: any time.
    backfill_hours: str = ""
    source: str = "volunteer"
    destination: str = "crm_plus"
    source_settings: Mapping[str, Any] = field(default_factory=dict)
    destination_settings: Mapping[str, Any] = field(default_factory=dict)
    #: What becomes of each resource's fields at the destination.
    mapping: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return self.status is CustomerStatus.ACTIVE

    @property
    def may_be_applied(self) -> bool:
        """Its events may go to its destination; a parked one's wait their time all the same."""
        return self.is_active and not self.applying_paused

    def is_parked(self, now: datetime) -> bool:
        return self.parked_until is not None and self.parked_until > now


def check_customer_id(customer_id: str) -> str:
    """Return a well-formed id. Raises CustomerInvalid, naming the mend, for any other."""
    if not CUSTOMER_ID_PATTERN.fullmatch(customer_id):
        raise CustomerInvalid(
            customer_id,
            "customer_id",
            "use 1 to 63 of a-z, 0-9, '-' and '_', starting with a letter or a digit",
        )
    return customer_id
