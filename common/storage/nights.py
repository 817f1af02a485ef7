"""The nights table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from common.domain.customers import Lane, System
from common.domain.nights import DueNight, Finding, Night, NightState, Phase, Probe, Window
from common.storage.engine import reading
from common.storage.night_rows import claim_night, last_part
from common.storage.night_tables import OPEN_NIGHT, nights
from common.storage.tables import customers

#: Most nights in one look of the sweep: it looks again within seconds.
MOST_DUE = 1000
#: Kept free for the slot's own night, which may be still to come on that date.
SLOTS_PART = 1
LATEST = (nights.c.claimed_at.desc(), nights.c.night_date.desc(), nights.c.part.desc())


class PostgresNights:
    """Implements `common.domain.nights.NightStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads = reading(engine)

    def claim(self, customer_id: str, night_date: date, now: datetime) -> bool:
        with self._engine.begin() as connection:
            return claim_night(connection, customer_id, night_date, now)

    def open_by_hand(self, customer_id: str, night_date: date, now: datetime) -> bool:
        with self._engine.begin() as connection:
            # Two people at once: the second waits here, and finds the first one's.
            connection.execute(select(customers.c.customer_id).filter_by(customer_id=customer_id).with_for_update())
            part = max(last_part(connection, customer_id, night_date), SLOTS_PART) + 1
            return claim_night(connection, customer_id, night_date, now, part=part)

    def current(self, customer_id: str) -> Night | None:
        with self._reads.connect() as connection:
            row = connection.execute(select(nights).where(nights.c.customer_id == customer_id, OPEN_NIGHT))
            return night_of(row.one_or_none())

    def due(self, now: datetime) -> Sequence[DueNight]:
        query = (
            select(nights.c.customer_id, customers.c.lane, nights.c.next_step_at)
            .join(customers, customers.c.customer_id == nights.c.customer_id)
            .where(nights.c.state == literal(NightState.OPEN), nights.c.next_step_at <= now)
            .order_by(nights.c.next_step_at, nights.c.customer_id)
            .limit(MOST_DUE)
        )
        with self._reads.connect() as connection:
            rows = connection.execute(query).all()
        return [DueNight(customer_id=r.customer_id, lane=Lane(r.lane), next_step_at=r.next_step_at) for r in rows]

    def save(self, night: Night, **changes: Any) -> bool:
        same = (nights.c.night_date == night.night_date, nights.c.part == night.part, nights.c.phase == night.phase)
        statement = update(nights).where(nights.c.customer_id == night.customer_id, OPEN_NIGHT, *same)
        with self._engine.begin() as connection:
            return connection.execute(statement.values(**changes)).rowcount == 1

    def note_probe(self, customer_id: str, system: System, probe: Probe) -> None:
        found = {str(system): {**asdict(probe), "at": probe.at.isoformat()}}
        waiting = (nights.c.customer_id == customer_id, OPEN_NIGHT, nights.c.phase == Phase.PREREQUISITES)
        changes: dict[str, Any] = {"probes": nights.c.probes.op("||")(literal(found, JSONB))}
        if probe.finding is not Finding.UNREACHABLE:
            changes["next_step_at"] = probe.at
        with self._engine.begin() as connection:
            connection.execute(update(nights).where(*waiting).values(changes))

    def note_pause(self, customer_id: str) -> None:
        statement = update(nights).where(nights.c.customer_id == customer_id, OPEN_NIGHT)
        with self._engine.begin() as connection:
            connection.execute(statement.values(pauses=nights.c.pauses + 1))

    def window(self, customer_id: str, now: datetime) -> Window:
        night = self.current(customer_id)
        if night is None:
            last = self.find(customer_id, None)
            return Window(next_at=last.next_at if last is not None else None)
        return window_of(night, now)

    def failed_in_a_row(self, customer_id: str) -> int:
        own = (nights.c.customer_id == customer_id, nights.c.state != NightState.OPEN)
        counts = (nights.c.state == NightState.FAILED) & ~nights.c.forgiven
        broken_at = select(func.max(nights.c.claimed_at)).where(*own, ~counts).scalar_subquery()
        later = broken_at.is_(None) | (nights.c.claimed_at > broken_at)
        with self._reads.connect() as connection:
            return int(connection.execute(select(func.count()).where(*own, counts, later)).scalar_one())

    def list(self, customer_id: str | None, limit: int) -> Sequence[Night]:
        query = select(nights).order_by(nights.c.claimed_at.desc(), nights.c.customer_id, *LATEST).limit(limit)
        if customer_id is not None:
            query = query.where(nights.c.customer_id == customer_id)
        with self._reads.connect() as connection:
            return [found for row in connection.execute(query) if (found := night_of(row)) is not None]

    def find(self, customer_id: str, night_date: date | None) -> Night | None:
        query = select(nights).where(nights.c.customer_id == customer_id)
        query = query.order_by(*LATEST).limit(1)
        if night_date is not None:
            query = query.where(nights.c.night_date == night_date)
        with self._reads.connect() as connection:
            return night_of(connection.execute(query).one_or_none())


def window_of(night: Night, now: datetime) -> Window:
    """Of an open night."""
    applies = night.phase is Phase.APPLY and night.deadline_at is not None and night.deadline_at > now
    return Window(until=night.deadline_at if applies else None, is_night=True)


def night_of(row: Any) -> Night | None:
    """Of a row of `nights`."""
    if row is None:
        return None
    names = (
        "customer_id", "night_date", "part", "reason", "claimed_at", "started_at", "deadline_at", "finished_at",
        "next_step_at", "next_at", "attempts", "pauses", "carried", "report",
    )  # fmt: skip
    return Night(
        **{name: getattr(row, name) for name in names},
        state=NightState(row.state),
        phase=Phase(row.phase),
        verdict=NightState(row.verdict) if row.verdict else None,
        probes=_probes(row.probes),
    )


def _probes(stored: Mapping[str, Mapping[str, str]]) -> dict[System, Probe]:
    return {
        System(name): Probe(
            finding=Finding(found["finding"]), at=datetime.fromisoformat(found["at"]), said=found["said"]
        )
        for name, found in stored.items()
    }
