"""Hours of a customer's day, in its local time: when they are open, and when they open next.

Both ends are slots, so a change of clocks makes no hours longer than it must, and none open for ever: where it skips
all of them, that day has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from common.domain.customers import Customer, Mode
from common.domain.errors import CustomerInvalid
from poller.schedule.slots import Slot

SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
MEND = "is no span of local time: use 22:00-06:00, or leave it empty for any time"
#: Openings looked at for an end: years of nights, for a list that takes longer has other troubles.
MOST_OPENINGS = 1_000


@dataclass(frozen=True, kw_only=True)
class Hours:
    """From `opens` up to `closes`, past midnight if that is the earlier one."""

    opens: Slot
    closes: Slot

    def opening(self, now: datetime) -> datetime | None:
        """When they open next; None: they are open."""
        moment = now.timestamp()
        if self.opens.until(moment)[0] > self.closes.until(moment)[0]:
            return None
        at = self.opens.after(moment)[0]
        # A day on which a change of clocks takes both ends to one moment has no hours.
        while self.closes.until(at)[0] == at:
            at = self.opens.after(at)[0]
        return _utc(at)

    def end_of(self, now: datetime, seconds: float) -> datetime | None:
        """When work of so many seconds ends if it is done in these hours alone; None: not in years."""
        moment = now
        for _ in range(MOST_OPENINGS):
            moment = self.opening(moment) or moment
            closes = _utc(self.closes.after(moment.timestamp())[0])
            room = (closes - moment).total_seconds()
            if seconds <= room:
                return moment + timedelta(seconds=seconds)
            seconds, moment = seconds - room, closes
        return None


def read_hours(text: str, zone: str) -> Hours | None:
    """None: any time. Raises ValueError for what is no span."""
    if not text:
        return None
    found = SPAN.fullmatch(text)
    if found is None or found.group(1, 2) == found.group(3, 4):
        raise ValueError(f"{text!r} {MEND}")
    first, second, third, fourth = map(int, found.groups())
    return Hours(opens=Slot(at=time(first, second), zone=zone), closes=Slot(at=time(third, fourth), zone=zone))


def hours_of(customer: Customer) -> Hours | None:
    """Those of its backfill; a nightly customer's is its night. Raises CustomerInvalid."""
    if customer.mode is Mode.NIGHTLY:
        return None
    try:
        return read_hours(customer.backfill_hours, customer.time_zone)
    except ValueError as error:
        raise CustomerInvalid(customer.customer_id, "backfill_hours", str(error)) from None


def _utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, tz=UTC)
