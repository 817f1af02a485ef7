"""How customers stand: the lines of `fleet status`, trouble first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType

from common.cli.ages import age_seconds, age_text, moment_text
from common.cli.attention import HeldDeletions, Missing, OpenDecisions, decisions_of, held_of, missing_of
from common.cli.backfills import Backfilling
from common.cli.output import make_table
from common.cli.troubles import Trouble, troubles_of
from common.domain.backlog import BacklogLimits
from common.domain.breakers import BreakerState
from common.domain.customers import CustomerStatus, System
from common.domain.nights import NightGlance
from common.storage.overview import CustomerOverview

#: No checkpoint: it is the time of the newest change at the source, and may be years ago. The JSON has it.
NUMBERS = ("RUN", "PENDING", "SENT", "OLDEST", "QUEUE", "DEAD")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One customer, as told with `--json`. Ages are in seconds; None: never, nothing, or unknown."""

    customer_id: str
    tier: str
    lane: str
    #: `active`, `parked` or `paused`.
    state: str
    why: str
    #: Why nothing is applied although it is polled; empty: it is applied.
    applying_paused: str = ""
    #: When a pause ends by itself.
    paused_until: datetime | None = None
    parked_until: datetime | None
    #: Systems that may not be asked.
    troubles: Sequence[Trouble] = ()
    #: Whose runs wait because too many events do: `backfill`, `poll` (then backfill too), or empty.
    held_back: str = ""
    checkpoint: datetime | None
    checkpoint_age_seconds: float | None
    last_run_at: datetime | None
    last_run_age_seconds: float | None
    pending: int
    submitted: int
    #: Of the longest waiting event that could have been sent.
    oldest_pending_age_seconds: float | None
    #: Of the pending ones: those that wait for a time or a decision, as is right; when the first is looked at again.
    waiting: int = 0
    waiting_until: datetime | None = None
    waiting_reason: str = ""
    #: Messages on the customer's queue; None if Redis cannot be asked.
    queue_depth: int | None
    dead_letters: int
    #: What waits for a person's decision, with the command that lists it; None: nothing.
    reviews: OpenDecisions | None = None
    #: Deletions that the fuse holds; None: none.
    held_deletions: HeldDeletions | None = None
    #: Custom fields that the mapping names and the destination lacked when they were last looked at.
    missing_targets: Sequence[Missing] = ()
    targets_looked_at: datetime | None = None
    #: Resources that were begun and have not been read to their end yet.
    backfilling: Sequence[Backfilling] = ()
    #: Of a nightly customer: the phase of its open night, or when the next one comes, and how the last one ended.
    night: NightGlance | None = None

    @property
    def is_served(self) -> bool:
        """Nothing keeps its events from being applied now."""
        is_free = self.state == "active" and not self.applying_paused
        return is_free and all(trouble.system is not System.DESTINATION for trouble in self.troubles)


def standings(
    rows: Sequence[CustomerOverview],
    depths: Mapping[str, int] | None,
    now: datetime,
    limits: BacklogLimits | None = None,
) -> list[Standing]:
    """Paused first, then blocked, then those with dead letters, then parked, then the longest waiting."""
    return sorted((_standing(row, depths, now, limits or BacklogLimits()) for row in rows), key=_trouble)


def _standing(
    row: CustomerOverview, depths: Mapping[str, int] | None, now: datetime, limits: BacklogLimits
) -> Standing:
    parked = row.parked_until is not None and row.parked_until > now
    paused = row.status == CustomerStatus.PAUSED
    return Standing(
        customer_id=row.customer_id,
        tier=row.tier,
        lane=row.lane,
        state="paused" if paused else "parked" if parked else "active",
        why=row.status_reason if paused else row.parked_reason if parked else "",
        applying_paused=row.applying_paused,
        paused_until=row.paused_until if paused else None,
        parked_until=row.parked_until if parked else None,
        troubles=troubles_of(row.customer_id, row.breakers),
        held_back=limits.held_back(row.pending + row.submitted),
        checkpoint=row.checkpoint,
        checkpoint_age_seconds=age_seconds(row.checkpoint, now),
        last_run_at=row.last_run_at,
        last_run_age_seconds=age_seconds(row.last_run_at, now),
        pending=row.pending,
        submitted=row.submitted,
        oldest_pending_age_seconds=age_seconds(row.oldest_pending_at, now),
        waiting=row.waiting,
        waiting_until=row.waiting_until,
        waiting_reason=row.waiting_reason,
        queue_depth=None if depths is None else depths.get(row.customer_id, 0),
        dead_letters=row.dead_letters,
        reviews=decisions_of(row),
        held_deletions=held_of(row),
        missing_targets=missing_of(row),
        targets_looked_at=row.targets.looked_at if row.targets else None,
        night=row.night,
    )


def _trouble(row: Standing) -> tuple[bool, bool, bool, bool, float, str]:
    waiting = row.oldest_pending_age_seconds or 0.0
    is_stopped = _is_blocked(row) or bool(row.applying_paused)
    return (
        row.state != "paused", not is_stopped, row.dead_letters == 0, row.state != "parked", -waiting, row.customer_id,
    )  # fmt: skip


def _is_blocked(row: Standing) -> bool:
    return any(trouble.state is BreakerState.BLOCKED for trouble in row.troubles)


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
    reasons = [line for row in rows for line in _reasons(row)]
    return Group(table, *(["", *reasons] if reasons else []), "", _summary(rows))


def _stops(row: Standing) -> Iterator[str]:
    if row.why:
        moment = row.paused_until or row.parked_until
        until = f" until {moment_text(moment)}" if moment else ""
        yield f"{row.customer_id} is {row.state}{until}: {row.why}"
    if row.applying_paused:
        yield f"{row.customer_id}: it is polled, and nothing is applied: {row.applying_paused}"


def _reasons(row: Standing) -> Iterator[str]:
    yield from _stops(row)
    for trouble in row.troubles:
        yield f"{row.customer_id}: its {trouble.system} is {trouble.line}"
    if row.held_back:
        who = "polls and backfills wait" if row.held_back == "poll" else "backfills wait"
        yield f"{row.customer_id}: {who} (backpressure): {row.pending + row.submitted} events are still to be applied"
    if row.waiting:
        until = f", the first until {moment_text(row.waiting_until)}" if row.waiting_until else ""
        yield f"{row.customer_id}: {row.waiting} pending wait as they should{until}: {row.waiting_reason}"
    if row.reviews is not None:
        yield f"{row.customer_id}: {row.reviews.line}"
    if row.held_deletions is not None:
        yield f"{row.customer_id}: {row.held_deletions.line}"
    for each in row.backfilling:
        yield f"{row.customer_id}: backfilling {each.line}"
    if row.night is not None:
        yield f"{row.customer_id}: {_night(row.night)}"
    for missing in row.missing_targets:
        yield f"{row.customer_id}: {missing.line} (looked at {moment_text(row.targets_looked_at)})"


def _night(night: NightGlance) -> str:
    """A nightly customer's night in a line."""
    if night.phase:
        return f"its night is at {night.phase}, until {moment_text(night.deadline_at)}"
    next_at = f"; the next comes at {moment_text(night.next_at)}" if night.next_at else ""
    why = f": {night.last_reason}" if night.last_reason else ""
    return f"its last night is {night.last_state}{why}{next_at}" if night.last_state else "it waits for its first night"


def _cells(row: Standing, now: datetime) -> list[str]:
    until = f" {age_text((row.parked_until - now).total_seconds())}" if row.parked_until else ""
    depth = "?" if row.queue_depth is None else str(row.queue_depth)
    return [
        row.customer_id, row.lane, age_text(row.last_run_age_seconds),
        str(row.pending), str(row.submitted), age_text(row.oldest_pending_age_seconds), depth, str(row.dead_letters),
        row.state + until,
    ]  # fmt: skip


def _style(row: Standing) -> str:
    if row.state == "paused" or row.applying_paused or _is_blocked(row):
        return "red"
    decisions = row.reviews or row.held_deletions or row.missing_targets
    waits = row.dead_letters or decisions or row.state == "parked"
    return "yellow" if waits else ""


def _summary(rows: Sequence[Standing]) -> str:
    sums = totals(rows)
    text = (
        f"{sums['customers']} customers: {sums['active']} active, {sums['parked']} parked, {sums['paused']} paused; "
        f"{sums['pending']} pending, {sums['submitted']} sent, {sums['queued']} queued, "
        f"{sums['dead_letters']} dead letters"
    )
    return text if all(row.queue_depth is not None for row in rows) else f"{text}\nRedis cannot be reached: no depths"
