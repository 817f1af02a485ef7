"""The reports of runs, a row each."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.runs import RunCounts, RunState
from common.domain.stores import RunStart
from common.storage.tables import runs


def open_report(connection: Connection, customer_id: str, resource: str, start: RunStart, now: datetime) -> None:
    """Of a run that begins, or goes on."""
    row = {
        "customer_id": customer_id,
        "run_id": start.progress.run_id,
        "resource": resource,
        "origin": start.progress.origin,
        "trace_id": start.progress.trace_id,
        "state": RunState.RUNNING,
        "started_at": now,
    }
    again = {"state": RunState.RUNNING}
    keys = [runs.c.customer_id, runs.c.run_id]
    connection.execute(insert(runs).values(row).on_conflict_do_update(index_elements=keys, set_=again))


def add_to_report(connection: Connection, customer_id: str, run_id: str, counts: RunCounts) -> None:
    """What a page, or the end of a scope, has come to."""
    added = {name: runs.c[name] + value for name, value in asdict(counts).items()}
    connection.execute(update(runs).where(runs.c.customer_id == customer_id, runs.c.run_id == run_id).values(**added))


def close_report(
    connection: Connection, customer_id: str, run_id: str, state: RunState, finished_at: datetime | None, error: str
) -> None:
    """For good, or until it goes on."""
    connection.execute(
        update(runs)
        .where(runs.c.customer_id == customer_id, runs.c.run_id == run_id)
        .values(state=state, finished_at=finished_at, error=error)
    )
