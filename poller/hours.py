"""Low-traffic hours: outside of them a backfill reads nothing, and waits in PostgreSQL until they open."""

from __future__ import annotations

from datetime import datetime

from common.domain.customers import Customer
from common.domain.errors import OutsideHours
from common.domain.events import Origin
from poller.schedule.hours import hours_of


def check_hours(customer: Customer, origin: str, now: datetime) -> None:
    """Before a page. Raises OutsideHours, or CustomerInvalid if the hours cannot be read."""
    hours = hours_of(customer) if origin == Origin.BACKFILL else None
    opens = None if hours is None else hours.opening(now)
    if opens is not None:
        raise OutsideHours(f"backfills read in the hours {customer.backfill_hours} alone", until=opens)
