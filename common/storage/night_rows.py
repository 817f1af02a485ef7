"""Rows of nights: how one comes to be, and who may be served because of one."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from common.domain.customers import Mode
from common.domain.layers import Layer
from common.domain.nights import NightState, Phase
from common.storage.night_tables import OPEN_NIGHT, nights
from common.storage.tables import checkpoints, customers


def claim_night(connection: Connection, customer_id: str, night_date: date, now: datetime, *, part: int = 1) -> bool:
    """A night that is to be taken up from now on. False: it was there, or another one is open."""
    row = {
        "customer_id": customer_id,
        "night_date": night_date,
        "part": part,
        "state": NightState.OPEN,
        "phase": Phase.PREREQUISITES,
        "claimed_at": now,
        "next_step_at": now,
    }
    claimed = insert(nights).values(row).on_conflict_do_nothing().returning(nights.c.part)
    return connection.execute(claimed).one_or_none() is not None


def last_part(connection: Connection, customer_id: str, night_date: date) -> int:
    """0: there is none of that date."""
    query = select(func.max(nights.c.part)).where(
        nights.c.customer_id == customer_id, nights.c.night_date == night_date
    )
    return connection.execute(query).scalar_one() or 0


def may_apply(now: datetime) -> ColumnElement[bool]:
    """True of a customer whose events may be applied at any time, or whose night lets them be applied now."""
    return (customers.c.mode != Mode.NIGHTLY) | _is_at(Phase.APPLY, now)


def may_read(now: datetime) -> ColumnElement[bool]:
    """True of a checkpoint's customer whose polls may go on: those of a nightly one only while its night reads."""
    return (customers.c.mode != Mode.NIGHTLY) | (checkpoints.c.layer != Layer.POLL) | _is_at(Phase.READ, now)


def _is_at(phase: Phase, now: datetime) -> ColumnElement[bool]:
    own = nights.c.customer_id == customers.c.customer_id
    return exists().where(own, OPEN_NIGHT, nights.c.phase == phase, nights.c.deadline_at > now)
