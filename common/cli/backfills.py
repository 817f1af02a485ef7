"""How backfills stand: read of total, how fast, and about when they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.cli.ages import moment_text
from common.domain.customers import Customer
from common.domain.errors import CustomerInvalid
from common.domain.pace import Pace, pace
from common.domain.sources import Style
from common.storage.backfills import BackfillRow
from poller.schedule.hours import Hours, hours_of
from poller.sources.registry import definition


@dataclass(frozen=True, kw_only=True)
class Backfilling:
    """One resource that has not been read to its end yet, as told with `--json`. None: not known."""

    resource: str
    #: Of the run that is under way, or none.
    run_id: str | None
    #: `records`, or `scopes`.
    unit: str
    read: int
    total: int | None
    percent: float | None
    #: Over the last minutes, or since it began.
    per_hour: float | None
    #: About, in the hours in which it may read.
    ends_at: datetime | None
    #: Local times in which it may read, as in 22:00-06:00; empty: any time.
    hours: str
    #: It reads nothing before.
    waits_until: datetime | None

    @property
    def line(self) -> str:
        """As in `users: 1,200 of 5,000 records (24.0 %), 5,400 records/h, ends about 2026-01-01 13:00:00Z`."""
        total = "" if self.total is None else f" of {self.total:,}"
        percent = "" if self.percent is None else f" ({self.percent:.1f} %)"
        rate = "" if self.per_hour is None else f", {self.per_hour:,.0f} {self.unit}/h"
        ends = "" if self.ends_at is None else f", ends about {moment_text(self.ends_at)}"
        hours = f", in the hours {self.hours}" if self.hours else ""
        waits = "" if self.waits_until is None else f", waits until {moment_text(self.waits_until)}"
        return f"{self.resource}: {self.read:,}{total} {self.unit}{percent}{rate}{ends}{hours}{waits}"


def backfilling(row: BackfillRow, customer: Customer, now: datetime) -> Backfilling:
    """`now`: to say when it ends."""
    found, unit = _pace(row, customer)
    waits = row.continue_at if row.continue_at is not None and row.continue_at > now else None
    return Backfilling(
        resource=row.resource,
        run_id=row.run_id if row.progress else None,
        unit=unit,
        read=found.read,
        total=found.total,
        percent=found.percent,
        per_hour=found.per_hour,
        ends_at=_ends_at(found, _hours(customer), waits or now),
        hours=customer.backfill_hours,
        waits_until=waits,
    )


def by_customer(
    rows: Sequence[BackfillRow], customers: Mapping[str, Customer], now: datetime
) -> dict[str, list[Backfilling]]:
    """By id, in the order in which each source is read."""
    found: dict[str, list[Backfilling]] = {}
    for row in rows:
        if row.customer_id in customers:
            found.setdefault(row.customer_id, []).append(backfilling(row, customers[row.customer_id], now))
    return found


def _pace(row: BackfillRow, customer: Customer) -> tuple[Pace, str]:
    windows = (row.progress.windows if row.progress else None) or row.kept
    if _is_scoped(row, customer):
        return pace(row.scopes_read, row.scopes or None, _since_start(row, row.scopes_read)), "scopes"
    if windows is None:
        total = row.progress.total if row.progress else None
        return pace(row.read, total, _since_start(row, row.read)), "records"
    marks = [(datetime.fromisoformat(at), records) for at, records in windows.marks]
    return pace(windows.read_with(row.progress.shown if row.progress else 0), windows.expected, marks), "records"


def _since_start(row: BackfillRow, read: int) -> list[tuple[datetime, int]]:
    return [] if row.started_at is None else [(row.started_at, 0), (row.updated_at, read)]


def _is_scoped(row: BackfillRow, customer: Customer) -> bool:
    try:
        terms = definition(customer).terms.get(row.resource)
    except CustomerInvalid:
        return False
    return terms is not None and terms.style is Style.SCOPED


def _hours(customer: Customer) -> Hours | None:
    """A line of the status is worth more than a complaint that `fleet customers show` makes."""
    try:
        return hours_of(customer)
    except CustomerInvalid:
        return None


def _ends_at(found: Pace, hours: Hours | None, since: datetime) -> datetime | None:
    if found.left_seconds is None:
        return None
    if hours is None:
        return since + timedelta(seconds=found.left_seconds)
    return hours.end_of(since, found.left_seconds)
