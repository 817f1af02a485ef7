"""How customers stand: the lines of `fleet status`, trouble first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text, moment_text
from common.cli.output import make_table
from common.domain.customers import CustomerStatus
from common.storage.overview import CustomerOverview

NUMBERS = ("CHECKPOINT", "RUN", "PENDING", "SENT", "OLDEST", "QUEUE", "DEAD")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One customer, as told with `--json`. Ages are in seconds; None: never, nothing, or unknown."""

    customer_id: str
    tier: str
    lane: str
    #: `active`, `parked` or `paused`.
    state: str
    why: str
    parked_until: datetime | None
    checkpoint: datetime | None
    checkpoint_age_seconds: float | None
    last_run_at: datetime | None
    last_run_age_seconds: float | None
    pending: int
    submitted: int
    oldest_pending_age_seconds: float | None
    #: Messages on the customer's queue; None if Redis cannot be asked.
    queue_depth: int | None
    dead_letters: int


def standings(rows: Sequence[CustomerOverview], depths: Mapping[str, int] | None, now: datetime) -> list[Standing]:
    """Paused first, then those with dead letters, then parked, then the longest waiting."""
    return sorted((_standing(row, depths, now) for row in rows), key=_trouble)


def _standing(row: CustomerOverview, depths: Mapping[str, int] | None, now: datetime) -> Standing:
    parked = row.parked_until is not None and row.parked_until > now
    paused = row.status == CustomerStatus.PAUSED
    return Standing(
        customer_id=row.customer_id,
        tier=row.tier,
        lane=row.lane,
        state="paused" if paused else "parked" if parked else "active",
        why=row.status_reason if paused else row.parked_reason if parked else "",
        parked_until=row.parked_until if parked else None,
        checkpoint=row.checkpoint,
        checkpoint_age_seconds=age_seconds(row.checkpoint, now),
        last_run_at=row.last_run_at,
        last_run_age_seconds=age_seconds(row.last_run_at, now),
        pending=row.pending,
        submitted=row.submitted,
        oldest_pending_age_seconds=age_seconds(row.oldest_pending_at, now),
        queue_depth=None if depths is None else depths.get(row.customer_id, 0),
        dead_letters=row.dead_letters,
    )


def _trouble(row: Standing) -> tuple[bool, bool, bool, float, str]:
    waiting = row.oldest_pending_age_seconds or 0.0
    return row.state != "paused", row.dead_letters == 0, row.state != "parked", -waiting, row.customer_id


def totals(rows: Sequence[Standing]) -> dict[str, int]:
    """Sums over all lines."""
    states = [row.state for row in rows]
    return {
        "customers": len(rows),
        **{state: states.count(state) for state in ("active", "parked", "paused")},
        "pending": sum(row.pending for row in rows),
        "submitted": sum(row.submitted for row in rows),
        "queued": sum(row.queue_depth or 0 for row in rows),
        "dead_letters": sum(row.dead_letters for row in rows),
    }


#: Characters of an id that a narrow terminal still shows; the sums and the JSON have the tier.
NARROWEST_ID = 10


def view(rows: Sequence[Standing], now: datetime) -> RenderableType:
    """The table, why some do not work, and the sums."""
    table = make_table("CUSTOMER", "LANE", *NUMBERS, "STATE", right=NUMBERS)
    # Where there is no room, long ids are cut before anything else, but never to nothing.
    table.columns[0].no_wrap, table.columns[0].min_width = False, NARROWEST_ID
    for row in rows:
        table.add_row(*_cells(row, now), style=_style(row))
    reasons = [_reason(row) for row in rows if row.why]
    return Group(table, *(["", *reasons] if reasons else []), "", _summary(rows))


def _reason(row: Standing) -> str:
    until = f" until {moment_text(row.parked_until)}" if row.parked_until else ""
    return f"{row.customer_id} is {row.state}{until}: {row.why}"


def _cells(row: Standing, now: datetime) -> list[str]:
    until = f" {age_text((row.parked_until - now).total_seconds())}" if row.parked_until else ""
    depth = "?" if row.queue_depth is None else str(row.queue_depth)
    return [
        row.customer_id, row.lane, age_text(row.checkpoint_age_seconds), age_text(row.last_run_age_seconds),
        str(row.pending), str(row.submitted), age_text(row.oldest_pending_age_seconds), depth, str(row.dead_letters),
        row.state + until,
    ]  # fmt: skip


def _style(row: Standing) -> str:
    if row.state == "paused":
        return "red"
    return "yellow" if row.dead_letters or row.state == "parked" else ""


def _summary(rows: Sequence[Standing]) -> str:
    sums = totals(rows)
    text = (
        f"{sums['customers']} customers: {sums['active']} active, {sums['parked']} parked, {sums['paused']} paused; "
        f"{sums['pending']} pending, {sums['submitted']} sent, {sums['queued']} queued, "
        f"{sums['dead_letters']} dead letters"
    )
    return text if all(row.queue_depth is not None for row in rows) else f"{text}\nRedis cannot be reached: no depths"
