"""How the nights of all nightly customers stand, for `fleet status` and the exporter."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select, true

from common.domain.customers import Mode
from common.domain.nights import NightGlance, NightState
from common.storage.night_tables import nights
from common.storage.tables import customers


def read_nights(connection: Connection) -> Mapping[str, NightGlance]:
    """By customer; one look into the index for each of three questions."""
    own = nights.c.customer_id == customers.c.customer_id
    is_open = nights.c.state == NightState.OPEN
    running = select(nights.c.phase, nights.c.deadline_at).where(own, is_open).limit(1).lateral("running")
    ended = select(nights).where(own, ~is_open).order_by(nights.c.claimed_at.desc()).limit(1).lateral("ended")
    done = func.max(nights.c.finished_at).filter(nights.c.state == NightState.COMPLETED)
    completed = select(func.coalesce(done, func.min(nights.c.claimed_at)).label("at")).where(own).lateral("completed")
    query = (
        select(customers.c.customer_id, running.c.phase, running.c.deadline_at, completed.c.at.label("completed_at"))
        .add_columns(ended.c.next_at, ended.c.state, ended.c.reason, ended.c.pauses, ended.c.report)
        .select_from(customers.outerjoin(running, true()).outerjoin(ended, true()).outerjoin(completed, true()))
        .where(customers.c.mode == Mode.NIGHTLY)
    )
    return {
        row.customer_id: NightGlance(
            phase=row.phase or "",
            deadline_at=row.deadline_at,
            next_at=row.next_at,
            last_state=row.state or "",
            last_reason=row.reason or "",
            failure_rate=(row.report or {}).get("failure_rate", 0.0),
            pauses=row.pauses or 0,
            completed_at=row.completed_at,
        )
        for row in connection.execute(query)
    }
