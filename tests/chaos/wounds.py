"""What an attack interrupted, and how soon somebody went on with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from chaos.customers import CUSTOMERS
from chaos.holding import Leads
from chaos.stage import Stage
from poller.schedule.scheduler import LEADER_LOCK

#: Seconds within which killed work must go on: the promise of architecture.md, section 3, in numbers.
RECOVERY_SECONDS = 10.0
#: Work of the whole fleet.
ALL_EVENTS, ALL_RUNS = "partition", "run"
#: Of the events that were open at a moment, the first to end after it. `:partition` below 0: of all partitions. None up
#: to `:settled` was: they had ended before, whatever a stepped clock has written down.
EVENTS = text(
    "SELECT extract(epoch FROM min(finished_at)) AS went_on, count(*) AS open FROM events"
    " WHERE (:customer = '' OR customer_id = :customer) AND (:partition < 0 OR partition = :partition)"
    " AND event_id > :settled AND detected_at <= to_timestamp(:at)"
    " AND (finished_at IS NULL OR finished_at > to_timestamp(:at))"
)
#: The last event, if all have ended.
SETTLED = text(
    "SELECT CASE WHEN bool_or(state IN ('pending', 'submitted')) THEN 0 ELSE coalesce(max(event_id), 0) END FROM events"
)
#: The first run of a customer that began or ended after a moment; its resources take turns, so a killed one's comes
#: round again with the others.
RUNS = text(
    "SELECT extract(epoch FROM min(CASE WHEN started_at > to_timestamp(:at) THEN started_at ELSE finished_at END))"
    " FROM runs WHERE (:customer = '' OR customer_id = :customer)"
    " AND (started_at > to_timestamp(:at) OR finished_at > to_timestamp(:at))"
)


@dataclass(frozen=True, kw_only=True)
class Wound:
    """Something that was interrupted at a moment (unix seconds)."""

    at: float
    #: The process, or server.
    victim: str
    #: The advisory locks it held, by name, or one of ALL; none: there was nothing to go on with.
    locks: frozenset[str]

    @property
    def role(self) -> str:
        return self.victim.rstrip("0123456789")


@dataclass(frozen=True, kw_only=True)
class Healing:
    """One interrupted piece of work, and when it went on; None: never."""

    wound: Wound
    work: str
    seconds: float | None

    @property
    def is_in_time(self) -> bool:
        return self.seconds is not None and self.seconds <= RECOVERY_SECONDS


def now_wound(victim: str) -> Wound:
    """Of the whole fleet: it goes on from now."""
    return Wound(at=time.time(), victim=victim, locks=frozenset({ALL_EVENTS, ALL_RUNS}))


def forgotten_wound(victim: str) -> Wound:
    """Of every customer's own work, whose messages are gone. Not of its polls: a source's budget, once forgotten, stays
    shut for a minute, as it should.
    """
    return Wound(at=time.time(), victim=victim, locks=frozenset(f"{ALL_EVENTS}/{each.name}" for each in CUSTOMERS))


def settled(stage: Stage) -> int:
    """The number of the last event, if all have ended; 0: some have not, so any may be what is struck."""
    with stage.engine.connect() as connection:
        return int(connection.execute(SETTLED).scalar_one())


def healings(stage: Stage, wounds: Sequence[Wound], leads: Leads, before: int) -> Sequence[Healing]:
    """Call it once the fleet is at rest; `before`: as `settled` before the first of them.

    What was struck again before it went on counts from the later stroke: it is dated anew and not left out, for the
    later one may have held nothing that tells of this work.
    """
    with stage.engine.connect() as connection:
        found = [
            Healing(wound=wound, work=work, seconds=None if went_on is None else went_on - wound.at)
            for wound in wounds
            for work in sorted(wound.locks)
            for is_work, went_on in [_went_on(connection, wound.at, work, leads, before)]
            if is_work
        ]
    return [since_last_stroke(healing, wounds) for healing in found]


def _went_on(connection: Connection, at: float, work: str, leads: Leads, before: int) -> tuple[bool, float | None]:
    """Whether there was something to go on with, and when that happened."""
    if work == LEADER_LOCK:
        return True, leads.taken_over(at)
    kind, _, rest = work.partition("/")
    customer, _, part = rest.partition("/")
    if kind == "run":
        moment = connection.execute(RUNS, {"customer": customer, "at": at}).scalar_one()
        return True, _seconds(moment)
    values = {"customer": customer, "partition": int(part) if part else -1, "at": at, "settled": before}
    row = connection.execute(EVENTS, values).one()
    return row.open > 0, _seconds(row.went_on)


def _seconds(moment: object) -> float | None:
    return None if moment is None else float(str(moment))


def since_last_stroke(healing: Healing, wounds: Sequence[Wound]) -> Healing:
    """The same, in seconds from the last stroke against processes of its kind before it went on."""
    own = healing.wound
    if healing.seconds is None:
        return healing
    went_on = own.at + healing.seconds
    last = max((other.at for other in wounds if other.role == own.role and own.at < other.at < went_on), default=own.at)
    return replace(healing, seconds=went_on - last)
